import type { RedisKeyOptions } from '../redis/options.js';
import { withDefaults } from '../redis/options.js';
import type { KeyInventory } from './key-inventory.js';

/**
 * The keys of a data directory, made where there are none. Whoever opens them has the lock of the directory.
 * @throws StoreUnusable
 */
export async function openSqliteKeyInventory(directory: string): Promise<KeyInventory> {
  const { SqliteKeyInventory } = await import('./sqlite-key-inventory.js');
  return new SqliteKeyInventory(directory);
}

/** The keys in Redis. @throws StoreUnavailable; StoreUnusable where it cannot be used, or a process uses it */
export async function openRedisKeyInventory(options: RedisKeyOptions): Promise<KeyInventory> {
  const { RedisKeyInventory } = await import('./redis-key-inventory.js');
  return RedisKeyInventory.open(withDefaults(options));
}
