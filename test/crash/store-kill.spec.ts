import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import Database from 'libsql';
import { openSqliteStore } from '#libs/store/sqlite';

const rounds = 10;
const producers = 32;
const program = fileURLToPath(new URL('./store-producers.js', import.meta.url));

/** Runs the producers until they were told of so many appends, kills them, and answers the lines. */
async function killedAfter(lines: number, directory: string, round: number): Promise<string[]> {
  const child = spawn(process.execPath, [program, directory, String(round), String(producers)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let text = '';
  child.stdout.setEncoding('utf8');
  for await (const chunk of child.stdout) {
    text += chunk as string;
    if (text.split('\n').length > lines) child.kill('SIGKILL');
  }
  const [, signal] = (await exited) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  return text.split('\n').slice(0, -1);
}

test('a process killed again and again has lost nothing that it acknowledged', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tidings-kill-'));
  try {
    const acknowledged: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      acknowledged.push(...(await killedAfter(200 + round * 137, directory, round)));
    }

    const store = await openSqliteStore({ directory });
    const held = new Set<string>();
    const next = new Map<string, bigint>();
    let last = 0n;
    for await (const { stream, revision, position, id } of store.readAll()) {
      held.add(`${stream} ${revision} ${id}`);
      expect(position > last).toBe(true);
      last = position;
      expect(revision).toBe(next.get(stream) ?? 0n);
      next.set(stream, revision + 1n);
    }
    await store.close();
    expect(acknowledged.length).toBeGreaterThan(rounds * 200);
    expect(acknowledged.filter((line) => !held.has(line))).toEqual([]);

    const database = new Database(join(directory, 'events.db'));
    expect(database.prepare('PRAGMA integrity_check').raw().all()).toEqual([['ok']]);
    database.close();
  } finally {
    await rm(directory, { recursive: true });
  }
}, 120_000);
