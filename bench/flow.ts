import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTransport } from 'nodemailer';
import { notificationEvents } from '#libs/notification';
import type { SqliteEventStore } from '#libs/store/sqlite';
import { createLog } from '../apps/server/log.js';
import { startServer, type Server } from '../apps/server/server.js';
import { readSettings } from '../apps/server/settings/index.js';
import { quantile, table } from './report.js';
import { startSink, type Sink } from './sink.js';

const mails = 20_000;
const connections = 5;
const rounds = 3;
const pacedSeconds = 10;
const perSecond = 100;
const atATime = 64;

const ends: ReadonlySet<string> = new Set(['notification.sent.v1', 'notification.failed.v1']);

export interface Running {
  readonly url: string;
  readonly facadeUrl: string | undefined;
  readonly store: SqliteEventStore;
  stop(): Promise<void>;
}

/** The real server, in this process: its store can be asked what it did. */
export async function runServer(sink: Sink, more: Readonly<Record<string, string>> = {}): Promise<Running> {
  const directory = await mkdtemp(join(tmpdir(), 'tidings-bench-'));
  const smtp = `smtp://127.0.0.1:${sink.port}`;
  const env = { PORT: '0', TIDINGS_DATA_DIR: directory, TIDINGS_SMTP_URL: smtp, ...more };
  const reading = readSettings(env, [], directory);
  if (!('settings' in reading)) throw new Error('error' in reading ? reading.error : reading.output);
  let store: SqliteEventStore | undefined;
  const server: Server = await startServer(reading.settings, createLog('warn'), (opened) => {
    store = opened as SqliteEventStore;
    return opened;
  });
  const url = server.url;
  for (let index = 0; index < 100; index += 1) {
    const body = JSON.stringify({ channels: { email: { address: `user-${index}@example.com` } } });
    await fetch(`${url}/v1/recipients/user-${index}`, {
      method: 'PUT',
      body,
      headers: { 'content-type': 'application/json' },
    });
  }
  return {
    url,
    facadeUrl: server.facadeUrl,
    store: store!,
    async stop() {
      await server.drain();
      await rm(directory, { recursive: true });
    },
  };
}

/** Posts so many notifications, and resolves when all of them have been sent, or have failed. `onSent` is told of each. */
export async function load(
  { url, store }: Running,
  total: number,
  rate: number,
  onSent?: (seen: number) => void,
): Promise<void> {
  const program = fileURLToPath(new URL('./load.js', import.meta.url));
  const child = fork(program, [Number(new URL(url).port), total, atATime, rate].map(String));
  const ended = once(child, 'exit') as Promise<[number]>;
  const all = sent(store, total, (seen) => {
    onSent?.(seen);
    // One that has just ended needs no more.
    if (seen % 100 === 0 && child.connected) child.send(seen, () => undefined);
  });
  const [code] = await ended;
  if (code !== 0) throw new Error(`the load ended with ${code}`);
  await all;
}

/** How many notifications a second the server sends, as fast as it can. */
export async function notificationsASecond(server: Running, count: number): Promise<number> {
  const started = performance.now();
  await load(server, count, 0);
  return count / ((performance.now() - started) / 1000);
}

/** Resolves when so many notifications have ended, from the head of the store on; tells of each on the way. */
async function sent(store: SqliteEventStore, count: number, onSent: (seen: number) => void): Promise<void> {
  let seen = 0;
  const filter = { categories: [notificationEvents.category] };
  for await (const { events } of store.subscribeToAll({ after: await store.head(), filter })) {
    for (const { type } of events) {
      if (!ends.has(type)) continue;
      seen += 1;
      onSent(seen);
    }
    if (seen >= count) return;
  }
}

interface Throughput {
  readonly rate: number;
  readonly perNotification: { records: number; bytes: number; commits: number; messages: number };
}

async function throughput(total: number): Promise<Throughput> {
  const sink = await startSink();
  const server = await runServer(sink);
  const { stop } = server;
  try {
    await load(server, 500, 0);
    const before = server.store.stats();
    const started = performance.now();
    await load(server, total, 0);
    const seconds = (performance.now() - started) / 1000;
    const after = server.store.stats();
    const each = (name: 'records' | 'bytes' | 'commits' | 'messages') => (after[name] - before[name]) / total;
    return {
      rate: total / seconds,
      perNotification: {
        records: each('records'),
        bytes: each('bytes'),
        commits: each('commits'),
        messages: each('messages'),
      },
    };
  } finally {
    await stop();
    sink.close();
  }
}

/** nodemailer alone, with the same mails, connections and sink. */
async function ceiling(total: number): Promise<number> {
  const sink = await startSink();
  const transport = createTransport({ host: '127.0.0.1', port: sink.port, pool: true, maxConnections: connections });
  const send = (number: number) =>
    transport.sendMail({
      from: 'Tidings <tidings@localhost>',
      to: `user-${number % 100}@example.com`,
      subject: `mail ${number}`,
      text: 'Your invoice is attached.\n'.repeat(8),
      html: `<p>${'Your invoice is attached. '.repeat(8)}</p>`,
    });
  const sendAll = async (count: number) => {
    let next = 0;
    await Promise.all(
      Array.from({ length: 64 }, async () => {
        while (next < count) await send(next++);
      }),
    );
  };
  await sendAll(500);
  const started = performance.now();
  await sendAll(total);
  const seconds = (performance.now() - started) / 1000;
  transport.close();
  sink.close();
  return total / seconds;
}

/** Milliseconds from the request to the SMTP server's having the mail, at a steady rate. */
async function latencies(): Promise<number[]> {
  const taken: number[] = [];
  const sink = await startSink(({ subject, at }) => {
    const asked = subject.split(' ')[2];
    if (asked !== undefined) taken.push(Number(at - BigInt(asked)) / 1e6);
  });
  const server = await runServer(sink);
  const { stop } = server;
  try {
    await load(server, 200, perSecond);
    taken.length = 0;
    const total = pacedSeconds * perSecond;
    await load(server, total, perSecond);
    return taken;
  } finally {
    await stop();
    sink.close();
  }
}

const stretches = 10;

/** Whether the rate stays what it is as the store grows: `npm run bench -- flat`, a million unless told otherwise. */
export async function runFlatBench(total = Number(process.env['NOTIFICATIONS'] ?? 1_000_000)): Promise<void> {
  const sink = await startSink();
  const server = await runServer(sink);
  const { stop } = server;
  try {
    await load(server, 2_000, 0);
    const rows: (string | number)[][] = [];
    let since = performance.now();
    const note = (seen: number): void => {
      if (seen % (total / stretches) !== 0) return;
      const seconds = (performance.now() - since) / 1000;
      since = performance.now();
      rows.push([String(seen), total / stretches / seconds, process.memoryUsage().rss / 1e6]);
      process.stderr.write(`${rows.at(-1)!.join(' ')}\n`);
    };
    await load(server, total, 0, note);
    process.stdout.write(`\nAs the store grows\n${table(['notifications', 'a second', 'RSS, MB'], rows)}\n`);
  } finally {
    await stop();
    sink.close();
  }
}

/** End to end: from the HTTP request through every stream to the mail server, and back to the terminal event. */
export async function runFlowBench(): Promise<void> {
  const runs: Throughput[] = [];
  const ceilings: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    ceilings.push(await ceiling(mails));
    runs.push(await throughput(mails));
  }
  const rates = runs.map(({ rate }) => rate);
  const ours = quantile(rates, 0.5);
  const theirs = quantile(ceilings, 0.5);
  process.stdout.write(
    `\nNotifications end to end over HTTP and SMTP, ${mails} at a time, medians of ${rounds} interleaved runs\n`,
  );
  process.stdout.write(
    `${table(
      ['', 'a second', 'of the ceiling'],
      [
        ['nodemailer alone', theirs, 1],
        ['tidings', ours, ours / theirs],
      ],
    )}\n`,
  );
  const { records, bytes, commits, messages } = runs.at(-1)!.perNotification;
  process.stdout.write(
    `\nPer notification\n${table(['records', 'bytes of JSON', 'commits', 'worker messages'], [[records, bytes, commits, messages]])}\n`,
  );
  const waits = await latencies();
  process.stdout.write(
    `\nFrom the request to the mail server at ${perSecond} a second, in ms\n${table(['p50', 'p99'], [[quantile(waits, 0.5), quantile(waits, 0.99)]])}\n`,
  );
}
