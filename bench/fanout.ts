import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { newId, streamName, type RecordedEvent } from '#libs/kernel';
import { notificationViews, type NotificationView } from '#libs/notification';
import type { EventStore } from '#libs/store/port';
import { sendOne, serverOn } from './history.js';
import { table } from './report.js';

const clients = Number(process.env['CLIENTS'] ?? 1_000);
const seconds = 10;
/** Events a second, each of which goes to every client. */
const rates = [5, 10, 20];

interface Delivered {
  readonly delivered: number;
  readonly p50: number;
  readonly p99: number;
}

async function connect(url: string): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('./fanout-clients.js', import.meta.url)), [url, String(clients)]);
  await once(child, 'message');
  return child;
}

/** Makes events at a rate, and asks the clients what they got once they have them all. */
async function measure(child: ChildProcess, rate: number, emit: () => Promise<void> | void): Promise<Delivered> {
  const started = performance.now();
  for (let made = 0; made < rate * seconds; made += 1) {
    await delay(Math.max(0, started + (made * 1_000) / rate - performance.now()));
    await emit();
  }
  await delay(2_000);
  child.send('report');
  const [result] = (await once(child, 'message')) as [Delivered];
  return result;
}

function row(what: string, rate: number, { delivered, p50, p99 }: Delivered): (string | number)[] {
  const megabytes = Math.round(process.memoryUsage().rss / 1_048_576);
  return [what, rate, delivered / seconds, delivered / (rate * seconds * clients), p50, p99, megabytes];
}

/** The same text to as many open answers of a bare HTTP server. */
async function runBare(text: () => string): Promise<(string | number)[][]> {
  const open: ServerResponse[] = [];
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('retry: 1000\n\n');
    open.push(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const child = await connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const rows: (string | number)[][] = [];
  for (const rate of rates) {
    const result = await measure(child, rate, () => {
      const event = text();
      for (const response of open) response.write(event);
    });
    rows.push(row('bare HTTP server', rate, result));
  }
  child.disconnect();
  server.closeAllConnections();
  server.close();
  return rows;
}

/** A live list to many clients at once: `npm run bench -- fanout`, to 1,000 of them unless CLIENTS says otherwise. */
export async function runFanoutBench(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tidings-bench-'));
  try {
    let store!: EventStore;
    const server = await serverOn(directory, (opened) => (store = opened));
    const id = await sendOne(server.url, 'ada', { sentAt: '0' });
    const [last] = await lastOf(store, streamName(notificationViews, id, 1));
    const viewNow = (): NotificationView => {
      const tags = { sentAt: String(process.hrtime.bigint()) };
      return { ...(last!.data as NotificationView), id: newId(), tags };
    };
    const child = await connect(`${server.url}/v1/notifications?recipientId=ada`);
    const rows: (string | number)[][] = [];
    for (const rate of rates) {
      const result = await measure(child, rate, async () => {
        const data = viewNow();
        const event = { id: newId(), type: 'notification.view.v1', data, metadata: { $correlationId: data.id } };
        await store.append(streamName(notificationViews, data.id, 1), 'noStream', [event]);
      });
      rows.push(row('tidings', rate, result));
    }
    child.disconnect();
    await server.drain();
    rows.push(...(await runBare(() => `id: 1\ndata: ${JSON.stringify(viewNow())}\n\n`)));
    process.stdout.write(`\nA live list to ${clients} clients for ${seconds} s at each rate; delays in ms\n`);
    const headings = ['', 'events/s', 'delivered/s', 'of all', 'p50', 'p99', 'RSS, MB'];
    process.stdout.write(`${table(headings, rows)}\n`);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function lastOf(store: EventStore, stream: string): Promise<RecordedEvent[]> {
  const found: RecordedEvent[] = [];
  for await (const record of store.readStream(stream, { direction: 'backwards', limit: 1 })) found.push(record);
  return found;
}
