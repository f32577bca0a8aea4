import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf } from '#libs/kernel';
import { openSqliteStore } from '#libs/store/sqlite';
import { readManifest, unusable } from './manifest.js';

const category = 'recipient.event';
/** How the stored types of all versions begin. */
const erased = 'recipient.erased.';

/**
 * The ids of the recipients that were erased after a backup was taken, each once. Restored, the backup has their keys again.
 * @param dataDir where what came after the backup still stands; no server may be using it
 * @throws CommandFailed, StoreUnusable
 */
export async function erasedSince(backup: string, dataDir: string): Promise<readonly string[]> {
  const { events } = await readManifest(backup);
  if (events === null) throw unusable(`${backup} has no events: ask the API for them (type=recipient.erased.v1)`);
  if (!existsSync(join(dataDir, 'events.db'))) throw unusable(`${dataDir} has no events.db`);
  const store = await openSqliteStore({ directory: dataDir });
  try {
    const ids = new Set<string>();
    const from = BigInt(events.head) + 1n;
    for await (const { stream, type } of store.readAll({ from, filter: { categories: [category] } })) {
      if (type.startsWith(erased)) ids.add(keyOf(stream));
    }
    return [...ids];
  } finally {
    await store.close();
  }
}
