import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { correlationOf, type RecordedEvent } from '#libs/kernel';
import { specNotRun } from '#libs/testing';
import { redisIsMissing } from '#libs/testing/redis';
import type { ConsumerView } from '#libs/operator';
import { eventually, type Api } from '../support/index.js';
import { attemptsOf, Cluster } from './support/cluster.js';
import { terminalTypes } from './support/evidence.js';

// Several processes are started, and leases run out.
jest.setTimeout(240_000);

let cluster: Cluster;

/** Holds up whoever waits for it, and counts them. */
class Gate implements PromiseLike<void> {
  waiting = 0;
  open!: () => void;
  private readonly opened = new Promise<void>((resolve) => (this.open = resolve));

  then: PromiseLike<void>['then'] = (...args) => {
    this.waiting += 1;
    return this.opened.then(...args);
  };
}

const once = ['email.claimed.v1', 'email.sent.v1'];

/** Asks for so many notifications, a few at a time; answers their ids. */
async function notifyMany(
  api: Api,
  count: number,
  meanwhile: (ids: readonly string[]) => Promise<unknown> = async () => {},
): Promise<readonly string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const batch = Array.from({ length: 5 }, (_, index) =>
      api.notify('ada', { content: { subject: `Mail ${ids.length + index}`, text: 'How are you?' } }),
    );
    ids.push(...(await Promise.all(batch)));
    await meanwhile(ids);
  }
  return ids;
}

/** Goes on asking, one batch after the other has ended. */
async function notifyUntil(isOver: () => boolean, api: Api): Promise<readonly string[]> {
  const ids: string[] = [];
  while (!isOver()) {
    const subject = `Mail ${ids.length}`;
    ids.push(await api.notify('ada', { content: { subject, text: 'How are you?' } }));
    if (ids.length % 5 === 0) await api.finalView(ids.at(-1)!);
  }
  return ids;
}

/** Each has ended once, as sent, and no mail went out but by an attempt that can be seen. */
async function expectAllSent(ids: readonly string[]): Promise<readonly RecordedEvent[]> {
  const records = await cluster.records();
  for (const [index, id] of ids.entries()) {
    const types = records.filter((record) => correlationOf(record) === id).map(({ type }) => type);
    expect({ id, terminal: types.filter((type) => terminalTypes.has(type)) }).toEqual({
      id,
      terminal: ['notification.sent.v1'],
    });
    const attempts = attemptsOf(records, id);
    const mails = cluster.smtp.mails.filter(({ parsed }) => parsed.subject === `Mail ${index}`);
    expect(attempts.filter((type) => type === 'email.sent.v1')).toHaveLength(1);
    expect(mails.length).toBeGreaterThanOrEqual(1);
    expect(mails.length).toBeLessThanOrEqual(
      attempts.filter((type) => type.startsWith('claimed') || type === 'email.claimed.v1').length,
    );
    expect(new Set(mails.map(({ parsed }) => parsed.messageId)).size).toBe(1);
  }
  const setAside = records.filter(({ type }) => type === 'runtime.record-parked.v1');
  expect(setAside).toEqual([]);
  return records;
}

const missing = redisIsMissing();
if (missing !== undefined) specNotRun('several processes on one EventStoreDB, killed and stopped', missing);
else {
  describe('processes that share an EventStoreDB', () => {
    beforeEach(async () => {
      cluster = await Cluster.open();
    });

    afterEach(() => cluster.close());

    test('what a process was doing that is killed, others do within the lease time: nothing is lost, nothing twice unseen', async () => {
      const [a, b, c] = await Promise.all([cluster.start(), cluster.start(), cluster.start()]);
      await cluster.areShared(a, b, c);
      await a.api.putRecipient('ada', 'ada@example.com');
      cluster.smtp.behave({ at: 'data', wait: 30 });
      const ids = await notifyMany(a.api, 60, async ({ length }) => {
        if (length === 30) await b.server.kill();
      });
      for (const id of ids) expect(await a.api.finalView(id)).toMatchObject({ status: 'sent' });
      await cluster.areShared(a, c);
      const records = await expectAllSent(ids);
      const doubts = ids.filter((id) => attemptsOf(records, id).includes('claimed after doubt'));
      // What was not under way when it was killed went out once.
      for (const id of ids) if (!doubts.includes(id)) expect(attemptsOf(records, id)).toEqual(once);
    });

    test('a process that was stopped past its lease changes nothing when it goes on, and is one of them again', async () => {
      const b = await cluster.start();
      await b.api.putRecipient('ada', 'ada@example.com');
      const gate = new Gate();
      cluster.smtp.behave({ at: 'recipient', times: 5, wait: gate });
      const ids = await notifyMany(b.api, 5);
      await eventually(async () => gate.waiting === 5 || undefined);
      b.server.signal('SIGSTOP');
      const a = await cluster.start();
      for (const id of ids) expect(await a.api.finalView(id)).toMatchObject({ status: 'sent' });
      await cluster.areShared(a);

      const before = await cluster.head();
      gate.open();
      b.server.signal('SIGCONT');
      await cluster.areShared(a, b);
      expect(cluster.smtp.mails).toHaveLength(5);
      const records = await cluster.records();
      const late = records.filter(({ position }) => position > before);
      expect(late.filter((record) => ids.includes(correlationOf(record))).map(({ type }) => type)).toEqual([]);
      expect(late.filter(({ type }) => /retry-scheduled|record-parked/.test(type))).toEqual([]);
      for (const id of ids) {
        expect(attemptsOf(records, id)).toEqual(['email.claimed.v1', 'claimed after doubt', 'email.sent.v1']);
      }
      expect(await b.api.request('GET', '/health/ready')).toMatchObject({ status: 200 });

      const more = await notifyMany(b.api, 10);
      for (const id of more) expect(await b.api.finalView(id)).toMatchObject({ status: 'sent' });
      expect(cluster.smtp.mails).toHaveLength(15);
    });

    test('processes share the work anew when one comes and when one leaves, and every mail goes out once', async () => {
      const [a, b, c] = await Promise.all([cluster.start(), cluster.start(), cluster.start()]);
      await cluster.areShared(a, b, c);
      await a.api.putRecipient('ada', 'ada@example.com');
      cluster.smtp.behave({ at: 'data', wait: 20 });
      let isOver = false;
      const notifying = notifyUntil(() => isOver, a.api);
      const d = await cluster.start();
      await cluster.areShared(a, b, c, d);
      await c.server.stop();
      await cluster.areShared(a, b, d);
      isOver = true;
      const ids = await notifying;
      for (const id of ids) expect(await d.api.finalView(id)).toMatchObject({ status: 'sent' });
      const records = await expectAllSent(ids);
      for (const id of ids) expect(attemptsOf(records, id)).toEqual(once);
    });

    test('their number of partitions is another one after all have stopped, and not before', async () => {
      const [a, b] = await Promise.all([cluster.start(), cluster.start()]);
      await cluster.areShared(a, b);
      await a.api.putRecipient('ada', 'ada@example.com');
      cluster.smtp.behave({ at: 'data', wait: 200 });
      const before = await notifyMany(a.api, 20);
      await expect(cluster.start({ TIDINGS_PARTITIONS: '6' })).rejects.toThrow(
        'processes use the event store with 4 partitions',
      );
      // One of them in the midst of its work.
      await a.server.kill();
      await b.server.stop();

      const [c, d] = await Promise.all([
        cluster.start({ TIDINGS_PARTITIONS: '6' }),
        cluster.start({ TIDINGS_PARTITIONS: '6' }),
      ]);
      await cluster.areShared(c, d);
      const head = await cluster.head();
      for (const id of before) expect(await c.api.finalView(id)).toMatchObject({ status: 'sent' });
      await expectAllSent(before);
      const handlers = await eventually(async () => {
        const views = await Promise.all(
          [c, d].map(({ api }) => api.request<{ items: ConsumerView[] }>('GET', '/v1/consumers')),
        );
        const all = views.flatMap(({ body }) => body.items);
        return all.every(({ position }) => BigInt(position) >= head) ? all : undefined;
      });
      expect(handlers.every(({ retrying, parked }) => retrying + parked === 0)).toBe(true);
    });
  });
}
