import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { newId } from '#libs/kernel';
import { openEventStoreDb, parseConnection } from '#libs/store/eventstoredb';
import type { EventStore } from '#libs/store/port';
import { openSqliteStore } from '#libs/store/sqlite';
import { inDirectory } from './directory.js';
import { eventFor, fill } from './events.js';
import { load, notificationsASecond, runServer } from './flow.js';
import { quantile, table } from './report.js';
import { startSink, type Sink } from './sink.js';

const rounds = 3;
const secondsEach = 2;
const readEvents = 50_000;
const notifications = 3_000;

async function appendsASecond(store: EventStore, producers: number): Promise<number> {
  const end = performance.now() + secondsEach * 1000;
  let appended = 0;
  const produce = async (): Promise<void> => {
    for (; performance.now() < end; appended += 1) {
      const key = newId();
      await store.append(`bench.event-${key}`, 'noStream', [eventFor(key)]);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: producers }, produce));
  return appended / ((performance.now() - started) / 1000);
}

async function readsASecond(store: EventStore): Promise<number> {
  const started = performance.now();
  let read = 0;
  for await (const record of store.readAll({ limit: readEvents })) read += record.stream === '' ? 0 : 1;
  return read / ((performance.now() - started) / 1000);
}

async function followedASecond(store: EventStore): Promise<number> {
  const started = performance.now();
  let read = 0;
  for await (const { events } of store.subscribeToAll()) {
    read += events.length;
    if (read >= readEvents) break;
  }
  return read / ((performance.now() - started) / 1000);
}

interface FacadeServer {
  readonly url: string;
  close(): Promise<void>;
}

async function startFacadeServer(): Promise<FacadeServer> {
  const child = fork(fileURLToPath(new URL('./facade-server.js', import.meta.url)));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    async close() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

type Figures = Readonly<Record<string, number>>;

async function figuresOf(store: EventStore): Promise<Figures> {
  const one = await appendsASecond(store, 1);
  const many = await appendsASecond(store, 64);
  await fill(store, readEvents);
  return {
    'appends, 1 producer': one,
    'appends, 64 producers': many,
    'events read': await readsASecond(store),
    'events followed': await followedASecond(store),
  };
}

async function embedded(sink: Sink): Promise<Figures> {
  const figures = await inDirectory(async (directory) => {
    const store = await openSqliteStore({ directory });
    const measured = await figuresOf(store);
    await store.close();
    return measured;
  });
  return { ...figures, ...(await endToEnd(sink, {})) };
}

async function throughClient(sink: Sink): Promise<Figures> {
  const server = await startFacadeServer();
  try {
    const store = await openEventStoreDb({ connection: parseConnection(server.url) });
    const figures = await figuresOf(store);
    await store.close();
    return { ...figures, ...(await endToEnd(sink, { TIDINGS_EVENTSTORE_URL: server.url })) };
  } finally {
    await server.close();
  }
}

async function endToEnd(sink: Sink, env: Readonly<Record<string, string>>): Promise<Figures> {
  const server = await runServer(sink, env);
  await load(server, 200, 0);
  const rate = await notificationsASecond(server, notifications);
  await server.stop();
  return { 'notifications, end to end': rate };
}

/** The client of EventStoreDB through the facade beside the embedded store. */
export async function runFacadeBench(): Promise<void> {
  const sink = await startSink();
  const own: Figures[] = [];
  const clients: Figures[] = [];
  for (let round = 0; round < rounds; round += 1) {
    own.push(await embedded(sink));
    clients.push(await throughClient(sink));
  }
  const median = (all: readonly Figures[], name: string): number =>
    quantile(
      all.map((figures) => figures[name]!),
      0.5,
    );
  const rows = Object.keys(own[0]!).map((name) => {
    const [embeddedRate, clientRate] = [median(own, name), median(clients, name)];
    return [name, embeddedRate, clientRate, clientRate / embeddedRate];
  });
  const heads = ['a second', 'embedded', 'through the client', 'ratio'];
  process.stdout.write(`\nThe client of EventStoreDB, medians of ${rounds} interleaved runs\n${table(heads, rows)}\n`);

  sink.close();
}
