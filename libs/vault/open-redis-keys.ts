import type { RedisKeyStore } from './redis/redis-key-store.js';
import { withDefaults, type RedisKeyOptions } from './redis/options.js';

/**
 * Opens the keys in Redis. The client's code is loaded here, which installations with a key file never do.
 * @throws StoreUnavailable when it does not answer, StoreUnusable when it would lose keys
 */
export async function openRedisKeys(options: RedisKeyOptions): Promise<RedisKeyStore> {
  const { RedisKeyStore } = await import('./redis/redis-key-store.js');
  return RedisKeyStore.open(withDefaults(options));
}
