import { setTimeout as delay } from 'node:timers/promises';
import { escalationEvents, type EscalationDecided } from '#libs/notification';
import type { SqliteEventStore } from '#libs/store/sqlite';
import { load, runServer } from './flow.js';
import { table } from './report.js';
import { startSink } from './sink.js';

const sampleEvery = 1_000;
const toTeam = / notifications? failed /;

/**
 * A mail server that refuses everybody: how many mails the team gets, and how much memory the server takes meanwhile:
 * `npm run bench -- outage`, 100,000 notifications unless told otherwise. It ends when the team is told of all of them,
 * which takes as long as the pauses between its mails.
 */
export async function runOutageBench(total = Number(process.env['NOTIFICATIONS'] ?? 100_000)): Promise<void> {
  let mails = 0;
  const sink = await startSink(({ subject }) => void (mails += toTeam.test(subject) ? 1 : 0), 'refuse');
  const server = await runServer(sink, { TIDINGS_TEAM_EMAIL: 'team@example.com' });
  const before = process.memoryUsage().rss;
  let most = before;
  const sampler = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), sampleEvery);
  try {
    const started = performance.now();
    const elapsed = () => (performance.now() - started) / 1000;
    const deciding = decisions(server.store, total, elapsed);
    await load(server, total, 0);
    const failed = elapsed();
    const rows = await deciding;
    while (mails < rows.length) await delay(sampleEvery);
    process.stdout.write(`\nAn outage that fails ${total} notifications: ${mails} mails to the team\n`);
    process.stdout.write(`${table(['mail', 'after, s', 'notifications in it'], rows)}\n\n`);
    process.stdout.write(
      `${table(
        ['all failed after, s', 'a second', 'RSS before, MB', 'RSS at most, MB'],
        [[failed.toFixed(1), total / failed, before / 1e6, most / 1e6]],
      )}\n`,
    );
  } finally {
    clearInterval(sampler);
    await server.stop();
    sink.close();
  }
}

/** One row a mail, once the mails tell of so many notifications. */
async function decisions(
  store: SqliteEventStore,
  total: number,
  elapsed: () => number,
): Promise<(string | number)[][]> {
  const rows: (string | number)[][] = [];
  let told = 0;
  const filter = { categories: [escalationEvents.category], types: ['escalation.decided.v1'] };
  for await (const { events } of store.subscribeToAll({ filter })) {
    for (const { data } of events) {
      const { count } = (data as EscalationDecided).summary;
      told += count;
      rows.push([String(rows.length + 1), elapsed(), count]);
    }
    if (told >= total) break;
  }
  if (told > total) throw new Error(`${told} of ${total} notifications were told`);
  return rows;
}
