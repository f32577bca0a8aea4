import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RecordedEvent } from '#libs/kernel';
import { fixedVersion, openClient } from '#libs/runtime';
import { openEventStoreDb, parseConnection } from '#libs/store/eventstoredb';
import type { Fault } from '#libs/store/facade';
import { StoreUnavailable, type EventStore } from '#libs/store/port';
import { TemporaryFacade } from '#libs/testing/facade';
import { NotificationFlow } from '#libs/testing/flow';
import { acceptBatch, type AcceptedBatch } from './batch.js';
import { notificationClient } from './notification-client.js';

let flow: NotificationFlow;
beforeEach(async () => {
  flow = await NotificationFlow.open();
});
afterEach(() => flow.close());

const item = (subject: string) => ({ recipientId: 'ada', content: { subject, text: 'Hello' } });
const items = [item('first'), item(''), item('second'), item('third')];

function post(): Promise<AcceptedBatch> {
  const request = { caller: 'anybody', idempotencyKey: 'key', traceparent: undefined, now: flow.now() };
  return acceptBatch({ ...flow.services, client: flow.client }, { items }, request);
}

const operations = async () => (await flow.stored()).filter(({ type }) => type === 'notification.send.v1');

/** The reservation of the key, and the three that are valid. */
const appends = 4;

test.each(Array.from({ length: appends }, (_, left) => left))(
  'torn off after %i appends, a repeat with the same key adds what is missing',
  async (left) => {
    flow.tearAfter(left);
    await expect(post()).rejects.toThrow(StoreUnavailable);
    flow.tearAfter();
    const standing = await operations();
    expect(standing).toHaveLength(Math.max(0, left - 1));
    const answer = await post();
    expect(answer.items.map((one) => 'id' in one)).toEqual([true, false, true, true]);
    expect((await operations()).slice(0, standing.length)).toEqual(standing);
    const all = (await operations()).map(({ stream }) => stream);
    expect(all).toEqual(answer.items.flatMap((one) => ('id' in one ? [`notification.clientOperation-${one.id}`] : [])));
    expect(await post()).toEqual({ ...answer, replayed: true });
    expect(await operations()).toHaveLength(3);
  },
);

describe('over a server of events, which takes every append by itself', () => {
  const count = 150;
  const given = Array.from({ length: count }, (_, index) =>
    index === 3 ? item('') : { ...item('Hello'), recipientId: `recipient-${index}` },
  );
  let temporary: TemporaryFacade;
  let store: EventStore;
  /** What becomes of an append, by how many came before it. */
  let onAppend: (before: number) => Fault | undefined | Promise<Fault | undefined>;

  beforeEach(async () => {
    let calls = 0;
    onAppend = () => undefined;
    temporary = await TemporaryFacade.open({
      onCall: (path) => (path === '/event_store.client.streams.Streams/Append' ? onAppend(calls++) : undefined),
    });
    const url = `esdb://127.0.0.1:${temporary.facade.port}?tls=false`;
    store = await openEventStoreDb({ connection: parseConnection(url) });
  });
  afterEach(async () => {
    await store.close();
    await temporary.remove();
  });

  function postMany(idempotencyKey?: string): Promise<AcceptedBatch> {
    const client = openClient(store, notificationClient, fixedVersion(1));
    const request = { caller: 'anybody', idempotencyKey, traceparent: undefined, now: flow.now() };
    return acceptBatch({ ...flow.services, client }, { items: given }, request);
  }

  async function enqueued(): Promise<readonly RecordedEvent[]> {
    const records: RecordedEvent[] = [];
    for await (const record of temporary.store.readAll()) {
      if (record.type === 'notification.send.v1') records.push(record);
    }
    return records;
  }

  /** Each item once, under the id of its place. */
  async function expectAllIn({ items: answered, position }: AcceptedBatch): Promise<void> {
    const records = await enqueued();
    expect(records).toHaveLength(count - 1);
    const byStream = new Map(
      records.map(({ stream, data }) => [stream, (data as { recipientId: string }).recipientId]),
    );
    const recipients = answered.map((one) =>
      'id' in one ? byStream.get(`notification.clientOperation-${one.id}`) : '',
    );
    expect(recipients).toEqual(given.map(({ recipientId }, index) => (index === 3 ? '' : recipientId)));
    expect(position).toBe(records.at(-1)!.position);
  }

  test('64 are under way at a time', async () => {
    const most = 64;
    let [underWay, mostSeen] = [0, 0];
    let fill!: () => void;
    const full = new Promise<void>((resolve) => (fill = resolve));
    onAppend = async () => {
      underWay += 1;
      mostSeen = Math.max(mostSeen, underWay);
      if (underWay === most) fill();
      await full;
      return {
        answer(message) {
          underWay -= 1;
          return message;
        },
      };
    };
    await expectAllIn(await postMany());
    expect(mostSeen).toBe(most);
  });

  test('answers that are lost', async () => {
    onAppend = (before) => (before % 7 === 3 && before < count ? { resetAfter: 0 } : undefined);
    await expectAllIn(await postMany());
  });

  test('one that is not let through keeps no other from being made, and a repeat adds it', async () => {
    // The first one is the key.
    onAppend = (before) => (before === 5 ? { denied: true } : undefined);
    await expect(postMany('key')).rejects.toThrow(StoreUnavailable);
    expect(await enqueued()).toHaveLength(count - 2);
    await expectAllIn(await postMany('key'));
  });
});
