import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import streamsMessages from '@eventstore/db-client/generated/streams_pb.js';
import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { newId, type RecordedEvent } from '#libs/kernel';
import { startFacade, type Facade, type Fault } from '#libs/store/facade';
import {
  StoreUnavailable,
  WrongExpectedRevision,
  type EventStore,
  type ExpectedRevision,
  type NewEvent,
} from '#libs/store/port';
import { openSqliteStore } from '#libs/store/sqlite';
import { eventually } from '#libs/testing';
import { parseConnection } from './connection.js';
import { openEventStoreDb } from './event-store-db.js';
import type { EventStoreDbOptions } from './options.js';

const answerWithin = 300;
const appendPath = '/event_store.client.streams.Streams/Append';
const readPath = '/event_store.client.streams.Streams/Read';

let directory: string;
let behind: EventStore;
let facade: Facade;
let store: EventStore;
let calls: string[];
let outages: string[];
/** What comes in place of a message that is read. */
let readAs: (message: ReadResp) => ReadResp;
/** What becomes of the next calls of a method, one after the other. */
let faults: { readonly path: string; readonly fault: Fault | (() => Promise<Fault | undefined>) }[];

async function serve(port = 0): Promise<void> {
  facade = await startFacade(behind, {
    port,
    writable: true,
    limits: { closing: 50 },
    onCall: (path) => {
      calls.push(path);
      const index = faults.findIndex((planned) => planned.path === path);
      if (index < 0) return path === readPath ? { answer: (message) => readAs(message as ReadResp) } : undefined;
      const [{ fault }] = faults.splice(index, 1) as [(typeof faults)[number]];
      return typeof fault === 'function' ? fault() : fault;
    },
  });
}

function open(tuning: Partial<EventStoreDbOptions> = {}): Promise<EventStore> {
  return openEventStoreDb({
    connection: parseConnection(`esdb://127.0.0.1:${facade.port}?tls=false`),
    answerWithin,
    patience: 5_000,
    ...tuning,
    log: {
      unreachable: (server, error) => outages.push(`${server}: ${error}`),
      reachable: () => outages.push('back'),
    },
  });
}

beforeEach(async () => {
  [calls, faults, outages] = [[], [], []];
  readAs = (message) => message;
  directory = await mkdtemp(join(tmpdir(), 'tidings-faults-'));
  behind = await openSqliteStore({ directory });
  await serve();
  store = await open();
});

afterEach(async () => {
  await store.close();
  await facade.close();
  await behind.close();
  await rm(directory, { recursive: true });
});

const event = (n = 0): NewEvent => ({ id: newId(), type: 'faults.tested.v1', data: { n } });
const appends = () => calls.filter((path) => path === appendPath).length;

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

/** The facade ends and comes back on the same port. */
async function restart(meanwhile: () => Promise<void> | void): Promise<void> {
  const { port } = facade;
  await facade.close();
  await meanwhile();
  await serve(port);
}

/** Follows in the background and gathers what comes. @param handedOut called after each batch */
function gather(handedOut: () => Promise<void> = async () => {}) {
  const stopping = new AbortController();
  const numbers: number[] = [];
  const filter = { categories: ['faults.tested'] };
  const ended = (async () => {
    for await (const { events } of store.subscribeToAll({ filter, signal: stopping.signal })) {
      numbers.push(...events.map(({ data }) => (data as { n: number }).n));
      await handedOut();
    }
  })();
  return {
    /** Waits for so many records, and wants no others. */
    has: async (count: number) => {
      await eventually(() => numbers.length >= count);
      expect(numbers).toEqual(upTo(count));
    },
    stop: () => (stopping.abort(), ended),
  };
}

async function idsOf(stream: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of behind.readStream(stream)) ids.push(id);
  return ids;
}

describe('an append', () => {
  const expectations: ExpectedRevision[] = ['noStream', 'any'];

  test.each(expectations)('whose answer is lost is written once (%s)', async (expected) => {
    const given = [event(1), event(2)];
    faults.push({ path: appendPath, fault: { silent: true } });
    const { revision, position } = await store.append('faults.tested-1', expected, given);
    expect(revision).toBe(1n);
    expect(position).toBe(await behind.head());
    expect(await idsOf('faults.tested-1')).toEqual(given.map(({ id }) => id));
  });

  test.each(expectations)('whose connection breaks after it was written is written once (%s)', async (expected) => {
    await store.append('faults.tested-1', 'noStream', [event()]);
    const given = [event(1), event(2)];
    faults.push({ path: appendPath, fault: { resetAfter: 0 } });
    const at = expected === 'noStream' ? 0n : expected;
    expect((await store.append('faults.tested-1', at, given)).revision).toBe(2n);
    expect((await idsOf('faults.tested-1')).slice(1)).toEqual(given.map(({ id }) => id));
    expect(appends()).toBeGreaterThan(1);
  });

  test('without a revision, whose answer is lost while others write, is written once', async () => {
    const given = [event(1)];
    faults.push({
      path: appendPath,
      fault: async () => {
        setTimeout(() => void behind.append('faults.tested-1', 'any', [event(2)]), answerWithin / 2);
        return { silent: true };
      },
    });
    expect((await store.append('faults.tested-1', 'any', given)).revision).toBe(0n);
    expect((await idsOf('faults.tested-1')).filter((id) => id === given[0]!.id)).toHaveLength(1);
  });

  test('that others have overtaken while its answer was lost finds its place', async () => {
    const given = [event(1)];
    faults.push({ path: appendPath, fault: { silent: true } });
    const appending = store.append('faults.tested-1', 'noStream', given);
    await eventually(async () => (await idsOf('faults.tested-1')).length === 1);
    await behind.append('faults.tested-1', 0n, [event(2)]);
    expect((await appending).revision).toBe(0n);
  });

  test('that was not written, and lost to another, says so', async () => {
    await behind.append('faults.tested-1', 'noStream', [event(2)]);
    faults.push({ path: appendPath, fault: { notLeader: { host: '127.0.0.1', port: facade.port } } });
    await expect(store.append('faults.tested-1', 'noStream', [event(1)])).rejects.toThrow(WrongExpectedRevision);
  });

  test('that a follower was asked for goes to the leader', async () => {
    const follower = facade;
    const leaderCalls: string[] = [];
    const leader = await startFacade(behind, {
      writable: true,
      onCall: (path) => void leaderCalls.push(path),
    });
    faults.push({ path: appendPath, fault: { notLeader: { host: '127.0.0.1', port: leader.port } } });
    expect((await store.append('faults.tested-1', 'noStream', [event()])).revision).toBe(0n);
    expect(leaderCalls).toContain(appendPath);
    expect(appends()).toBe(1);
    await store.close();
    await leader.close();
    facade = follower;
  });

  test('waits for a server that is slow, within limits', async () => {
    await store.close();
    store = await open({ answerWithin: 10_000 });
    faults.push({
      path: appendPath,
      fault: () => new Promise((resolve) => setTimeout(() => resolve(undefined), answerWithin / 3)),
    });
    expect((await store.append('faults.tested-1', 'noStream', [event()])).revision).toBe(0n);
    expect(appends()).toBe(1);
  });

  test('to a server that never answers ends, and then nobody waits for long', async () => {
    await store.close();
    store = await open({ patience: 2 * answerWithin });
    for (let n = 0; n < 40; n += 1) faults.push({ path: appendPath, fault: { silent: true } });
    await expect(store.append('faults.tested-1', 'noStream', [event()])).rejects.toThrow(StoreUnavailable);
    const before = appends();
    await expect(store.append('faults.tested-2', 'noStream', [event()])).rejects.toMatchObject({ final: false });
    expect(appends() - before).toBeLessThanOrEqual(3);
  });
});

describe('before the first answer of all', () => {
  const longer = { patience: 120_000, answerWithin: 4_000 };
  const missing = () => expect(store.append('faults.tested-1', 'noStream', [event()])).rejects;

  test('nobody waits for a server that is missing, and it is found when it comes', async () => {
    await store.close();
    const { port } = facade;
    await facade.close();
    store = await open(longer);
    await missing().toThrow(/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    await expect(store.head()).rejects.toMatchObject({ final: false });
    await serve(port);
    await eventually(() => outages.includes('back'));
    expect((await store.append('faults.tested-1', 'noStream', [event()])).revision).toBe(0n);
  });

  test('nor for long for one that says nothing, of which no request is made but one', async () => {
    await store.close();
    await facade.close();
    calls = [];
    faults.push({ path: readPath, fault: { silent: true } });
    await serve();
    store = await open(longer);
    await missing().toThrow(/127\.0\.0\.1:\d+: it has not answered yet/);
    await expect(store.head()).rejects.toMatchObject({ final: false });
    expect(calls).toEqual([readPath]);
  });
});

describe('many requests', () => {
  test('are under way a few at a time', async () => {
    await store.close();
    store = await open({ atOnce: 2 });
    let [underWay, most] = [0, 0];
    const hold = async (): Promise<undefined> => {
      most = Math.max(most, (underWay += 1));
      await behind.head();
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
    };
    for (let n = 0; n < 20; n += 1) faults.push({ path: appendPath, fault: hold });
    const all = Array.from({ length: 20 }, (_, n) => store.append(`faults.tested-${n}`, 'noStream', [event(n)]));
    expect(await Promise.all(all)).toHaveLength(20);
    expect(most).toBeLessThanOrEqual(2);
  });

  test('that wait for their turn end with the first that is given up', async () => {
    await store.close();
    store = await open({ atOnce: 1, patience: 1 });
    for (let n = 0; n < 20; n += 1) faults.push({ path: appendPath, fault: { silent: true } });
    const all = Array.from({ length: 20 }, (_, n) => store.append(`faults.tested-${n}`, 'noStream', [event(n)]));
    for (const { reason } of (await Promise.allSettled(all)) as PromiseRejectedResult[])
      expect(reason).toBeInstanceOf(StoreUnavailable);
    expect(appends()).toBe(1);
  });
});

describe('a read', () => {
  test('that breaks off is read again', async () => {
    await store.append('faults.tested-1', 'noStream', [event(1), event(2), event(3)]);
    faults.push({ path: readPath, fault: { resetAfter: 1 } });
    const read: bigint[] = [];
    for await (const { revision } of store.readStream('faults.tested-1')) read.push(revision);
    expect(read).toEqual([0n, 1n, 2n]);
  });

  test('that is not answered ends', async () => {
    await store.close();
    store = await open({ patience: answerWithin });
    for (let n = 0; n < 40; n += 1) faults.push({ path: readPath, fault: { silent: true } });
    await expect(store.head()).rejects.toThrow(StoreUnavailable);
  });
});

describe('a subscription', () => {
  const write = async (from: number, to: number) => {
    for (let n = from; n < to; n += 1) await behind.append(`faults.tested-${n % 3}`, 'any', [event(n)]);
  };

  test('that breaks while it catches up goes on after what it has handed out', async () => {
    await write(0, 60);
    await store.close();
    store = await open();
    await store.head();
    for (let n = 0; n < 6; n += 1) faults.push({ path: readPath, fault: { resetAfter: 4 + n } });
    const gathered = gather();
    await gathered.has(60);
    await write(60, 70);
    await gathered.has(70);
    await gathered.stop();
  });

  test('neither loses nor repeats anything when the server restarts on the same port', async () => {
    const gathered = gather();
    await write(0, 20);
    await gathered.has(20);
    for (let round = 1; round <= 3; round += 1) {
      await restart(() => write(round * 20, round * 20 + 10));
      await write(round * 20 + 10, round * 20 + 20);
      await gathered.has(round * 20 + 20);
    }
    expect(outages.filter((line) => line === 'back').length).toBeGreaterThan(0);
    await gathered.stop();
  });

  test('that is slower than the writers is served from the server again, without gap or duplicate', async () => {
    await store.close();
    store = await open({ tailEvents: 5 });
    await store.head();
    const seen: number[] = [];
    const filter = { categories: ['faults.tested'] };
    const writing = write(0, 300);
    for await (const { events } of store.subscribeToAll({ filter })) {
      seen.push(...events.map(({ data }) => (data as { n: number }).n));
      if (seen.length >= 300) break;
      // As long as five more records take to come, which is all that is kept.
      const head = await behind.head();
      await eventually(async () => seen.length >= 250 || (await behind.head()) > head + 5n);
    }
    await writing;
    expect(seen).toEqual(upTo(300));
  });

  test('begins when the server comes, where it was missing at first', async () => {
    await store.close();
    const { port } = facade;
    await facade.close();
    store = await open({ patience: 200 });
    const gathered = gather();
    await expect(store.append('faults.tested-1', 'any', [event()])).rejects.toThrow(/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    await write(0, 5);
    await serve(port);
    await gathered.has(5);
    expect((await store.append('faults.tested-9', 'noStream', [event(5)])).revision).toBe(0n);
    await gathered.has(6);
    await gathered.stop();
  });
});

describe('a subscription of another version of the server', () => {
  /** Clients pass over it. */
  const nothing = () => new streamsMessages.ReadResp();
  const checkpointAt = (position: string) =>
    new streamsMessages.ReadResp().setCheckpoint(
      new streamsMessages.ReadResp.Checkpoint().setCommitPosition(position).setPreparePosition(position),
    );
  /** The position of the record that was written with this number, in a message that holds it. */
  function positionOf(message: ReadResp, n: number): string | undefined {
    const record = message.getEvent()?.getEvent();
    if (record === undefined) return undefined;
    const data = JSON.parse(Buffer.from(record.getData_asU8()).toString()) as { n?: number };
    return data.n === n ? record.getCommitPosition() : undefined;
  }
  const readAsItIs = () => {
    readAs = (message) => message;
  };
  const write = (key: string, n: number) => behind.append(`faults.${key}-1`, 'any', [event(n)]);
  const filter = { categories: ['faults.tested'] };

  async function reopen(): Promise<void> {
    await store.close();
    store = await open();
    // Whoever subscribes from the start has to catch up.
    await store.head();
  }

  test('that does not say when it has caught up is live all the same', async () => {
    readAs = (message) => (message.hasCaughtUp() || message.hasCheckpoint() ? nothing() : message);
    await write('tested', 0);
    for (let n = 0; n < 5; n += 1) await write('other', n);
    await reopen();
    const seen: RecordedEvent[] = [];
    for await (const { events, live, checkpoint } of store.subscribeToAll({ filter })) {
      seen.push(...events);
      if (!live) continue;
      expect(checkpoint).toBe(await behind.head());
      break;
    }
    expect(seen).toHaveLength(1);
  });

  test('that tells the position of a record to come as its checkpoint loses none of them', async () => {
    let told = false;
    await write('tested', 0);
    for (let n = 5; n < 10; n += 1) await write('other', n);
    await write('tested', 1);
    await write('other', 10);
    await reopen();
    readAs = (message) => {
      const position = positionOf(message, 1);
      if (position === undefined) return told ? nothing() : message;
      told = true;
      return checkpointAt(position);
    };
    const gathered = gather();
    await eventually(() => told);
    await restart(readAsItIs);
    await write('tested', 2);
    await gathered.has(3);
    await gathered.stop();
  });

  test('that tells an old position as its checkpoint repeats nothing', async () => {
    let first: string | undefined;
    let told = false;
    await write('tested', 0);
    await write('tested', 1);
    await write('tested', 2);
    await write('other', 3);
    await reopen();
    readAs = (message) => {
      first ??= positionOf(message, 0);
      if (message.hasCaughtUp()) return nothing();
      if (positionOf(message, 2) === undefined && !message.hasCheckpoint()) return message;
      told = true;
      return checkpointAt(first!);
    };
    const gathered = gather(async () => {
      // So that the rest has come by then, and is handed out at once.
      await eventually(() => told);
      await store.head();
    });
    await gathered.has(2);
    await restart(readAsItIs);
    await write('tested', 3);
    await gathered.has(4);
    await gathered.stop();
  });
});

test('what the user may not is said once, and no outage of what he may', async () => {
  await store.close();
  for (let n = 0; n < 1_000; n += 1) faults.push({ path: readPath, fault: { denied: true } });
  store = await open();
  const reads = () => calls.filter((path) => path === readPath).length;
  for (let n = 0; reads() < 6; n += 1) await store.append(`faults.tested-${n}`, 'noStream', [event(n)]);
  await expect(store.head()).rejects.toThrow(StoreUnavailable);
  expect(outages).toEqual([expect.stringMatching(/PERMISSION_DENIED/)]);
});

test('what many write while the connection breaks again and again stands once', async () => {
  await store.close();
  store = await open({ answerWithin: 1_000, patience: 20_000 });
  const count = 200;
  const given = Array.from({ length: count }, (_, n) => event(n));
  for (let n = 0; n < 30; n += 1)
    faults.push({ path: appendPath, fault: n % 2 ? { silent: true } : { resetAfter: 0 } });
  const writing = Promise.all(
    given.map((one, n) => store.append(`faults.tested-${n}`, n % 2 ? 'any' : 'noStream', [one])),
  );
  await eventually(() => appends() > 50);
  await restart(() => {});
  await writing;
  const ids: string[] = [];
  for await (const { id } of behind.readAll({ filter: { categories: ['faults.tested'] } })) ids.push(id);
  expect(ids.sort()).toEqual(given.map(({ id }) => id).sort());
});
