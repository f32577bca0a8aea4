import { setTimeout as delay } from 'node:timers/promises';
import { runServer } from './flow.js';
import { table } from './report.js';
import { startSink } from './sink.js';

const addedAtOnce = 1_000;
const atATime = 64;
const sampleEvery = 1_000;

interface Broadcast {
  readonly status: string;
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * One broadcast to a large group, from the request to the last end, and how much memory the server takes meanwhile:
 * `npm run bench -- broadcast`, 100,000 members unless told otherwise.
 */
export async function runBroadcastBench(members = Number(process.env['MEMBERS'] ?? 100_000)): Promise<void> {
  const sink = await startSink();
  const { url, stop } = await runServer(sink);
  const request = async <Body>(method: string, path: string, body?: object): Promise<Body> => {
    const response = await fetch(url + path, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as Body;
  };
  try {
    const ids = Array.from({ length: members }, (_, index) => `member-${index}`);
    await putAll(ids, (id) =>
      request('PUT', `/v1/recipients/${id}`, { channels: { email: { address: `${id}@example.com` } } }),
    );
    const growing = performance.now();
    await request('PUT', '/v1/groups/all', {});
    for (let from = 0; from < members; from += addedAtOnce) {
      await request('POST', '/v1/groups/all/members', { add: ids.slice(from, from + addedAtOnce) });
    }
    const grown = (performance.now() - growing) / 1000;
    const reading = performance.now();
    await request('GET', '/v1/groups/all');
    const read = performance.now() - reading;

    const before = process.memoryUsage().rss;
    let most = before;
    const started = performance.now();
    const message = { groupId: 'all', content: { subject: 'Fire drill', text: 'At noon.\n'.repeat(20) } };
    const { href } = await request<{ href: string }>('POST', '/v1/notifications', message);
    let view = await request<Broadcast>('GET', href);
    while (view.status !== 'completed') {
      await delay(sampleEvery);
      most = Math.max(most, process.memoryUsage().rss);
      view = await request<Broadcast>('GET', href);
    }
    const seconds = (performance.now() - started) / 1000;
    process.stdout.write(`\nA broadcast to ${members} members: ${JSON.stringify(view.counts)}\n`);
    process.stdout.write(
      `${table(
        ['s', 'a second', 'RSS before, MB', 'RSS at most, MB', 'the group made, s', 'the group read, ms'],
        [[seconds.toFixed(1), members / seconds, before / 1e6, most / 1e6, grown, read]],
      )}\n`,
    );
  } finally {
    await stop();
    sink.close();
  }
}

async function putAll(ids: readonly string[], put: (id: string) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: atATime }, async () => {
      while (next < ids.length) await put(ids[next++]!);
    }),
  );
}
