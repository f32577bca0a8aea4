import type Database from 'libsql';
import { metadataPrefix } from '#libs/store/port';
import type { ScavengeCursor, ScavengeReply, ScavengeRequest } from './messages.js';
import { isSoftDeleted, Retentions } from './retention.js';

const streamsPerStep = 100;
const eventsPerStep = 500;

export const scavengeStart: ScavengeCursor = { category: -1, key: '' };

/**
 * Removes some of what is hidden in one small transaction. The last event of a stream always stays, so that its
 * revisions never start again, and so does the last record of the store, for the same reason with positions.
 */
export function scavengeStep(
  database: Database.Database,
  request: ScavengeRequest,
  lastPosition: number,
): ScavengeReply {
  database.exec('BEGIN IMMEDIATE');
  try {
    const reply = step(database, request, lastPosition);
    database.exec('COMMIT');
    return reply;
  } catch (thrown) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw thrown;
  }
}

function step(database: Database.Database, { after, now }: ScavengeRequest, lastPosition: number): ScavengeReply {
  const retentions = new Retentions(database);
  const head = database
    .prepare('SELECT revision FROM events WHERE category = ? AND key = ? ORDER BY revision DESC LIMIT 1')
    .raw();
  const remove = database.prepare(
    `DELETE FROM events WHERE position IN (
       SELECT position FROM events
       WHERE category = ? AND key = ? AND revision < ? AND (revision < ? OR created < ?) AND position <> ${lastPosition}
       LIMIT ?)`,
  );
  const metadataCategory = database
    .prepare('SELECT m.id FROM categories c JOIN categories m ON m.name = ? || c.name WHERE c.id = ?')
    .raw();
  const streams = database
    .prepare('SELECT category, key FROM retention WHERE (category, key) > (?, ?) ORDER BY category, key LIMIT ?')
    .raw()
    .all([after.category, after.key, streamsPerStep]) as [number, string][];

  let removed = 0;
  let done: ScavengeCursor = after;
  for (const [category, key] of streams) {
    const [last] = (head.get([category, key]) as [number] | undefined) ?? [-1];
    const retention = retentions.get(category, key)!;
    const everything = retention.tombstoned || isSoftDeleted(retention);
    const below = everything
      ? last
      : Math.max(
          Number(retention.truncateBefore ?? 0n),
          retention.maxCount === null ? 0 : last - retention.maxCount + 1,
        );
    const before = retention.maxAge === null ? 0 : now - retention.maxAge * 1000;
    removed += remove.run([category, key, last, below, before, eventsPerStep - removed]).changes;

    const [metadata] = (metadataCategory.get([metadataPrefix, category]) as [number] | undefined) ?? [undefined];
    if (metadata !== undefined && removed < eventsPerStep) {
      const [current] = (head.get([metadata, key]) as [number] | undefined) ?? [-1];
      removed += remove.run([metadata, key, current, current, 0, eventsPerStep - removed]).changes;
    }
    if (removed >= eventsPerStep) return { removed, next: done };
    done = { category, key };
  }
  return { removed, next: streams.length < streamsPerStep ? undefined : done };
}
