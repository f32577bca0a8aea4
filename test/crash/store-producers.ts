import { writeSync } from 'node:fs';
import { newId } from '#libs/kernel';
import type { ExpectedRevision } from '#libs/store/port';
import { openSqliteStore } from '#libs/store/sqlite';

/**
 * Appends from many producers until it is killed, and tells of each append that was acknowledged: a line with
 * stream, revision and id. Arguments: directory, round, producers.
 */
const [directory, round, producers] = process.argv.slice(2) as [string, string, string];
const store = await openSqliteStore({ directory });

async function produce(producer: number): Promise<never> {
  const stream = `crash.tested-${round}.${producer}`;
  let expected: ExpectedRevision = 'noStream';
  for (;;) {
    const given = Array.from({ length: 1 + (producer % 3) }, (_, n) => ({
      id: newId(),
      type: 'crash.tested.v1',
      data: { producer, n, text: 'x'.repeat(producer * 10) },
    }));
    const { revision }: { revision: bigint } = await store.append(stream, expected, given);
    const lines = given.map(({ id }, n) => `${stream} ${revision - BigInt(given.length - 1 - n)} ${id}\n`);
    // Synchronously: what was told before the kill is with the reader of the pipe.
    writeSync(1, lines.join(''));
    expected = revision;
  }
}

await Promise.all(Array.from({ length: Number(producers) }, (_, producer) => produce(producer)));
