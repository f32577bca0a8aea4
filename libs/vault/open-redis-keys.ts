import type { RedisKeyStore } from './redis/redis-key-store.js';
import { withDefaults, type RedisKeyOptions } from './redis/options.js';

/**
 * Opens the keys in Redis. The client's code is loaded here, which installations with a key file never do.
 * @throws StoreUnusable when it refuses the credentials, or would lose keys. One that does not answer is no hindrance.
 */
export async function openRedisKeys(options: RedisKeyOptions): Promise<RedisKeyStore> {
  const { RedisKeyStore } = await import('./redis/redis-key-store.js');
  return RedisKeyStore.open(withDefaults(options));
}
