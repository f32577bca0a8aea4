import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ConsumerView, HandlingView, ParkedDetail, ParkedItem, ParkedPage, Redriven } from '#libs/operator';
import { specNotRun } from '#libs/testing';
import { redisIsMissing } from '#libs/testing/redis';
import { appendBrokenFlow, readersOfEvents } from '../scenario/operator/parked-records.js';
import { eventually } from '../support/index.js';
import { attemptsOf, Cluster, type ClusterProcess } from './support/cluster.js';

// Several processes are started, and leases run out.
jest.setTimeout(240_000);

const once = ['email.claimed.v1', 'email.sent.v1'];
const allPartitions = [0, 1, 2, 3];

let cluster: Cluster;
let front: ClusterProcess;
let others: ClusterProcess;

async function parked(query = ''): Promise<readonly ParkedItem[]> {
  return (await front.api.request<ParkedPage>('GET', `/v1/parked${query}`)).body.items;
}

async function consumer(name: string, asked = front): Promise<ConsumerView> {
  const { body } = await asked.api.request<{ items: ConsumerView[] }>('GET', '/v1/consumers');
  return body.items.find((item) => item.name === name)!;
}

/** As the process itself says, of itself alone. */
async function isPausedIn({ api }: ClusterProcess, name: string): Promise<true | undefined> {
  const { body } = await api.request<string>('GET', '/metrics');
  return body.includes(`tidings_consumer_state{consumer="${name}",state="paused"} 1`) || undefined;
}

/** What no process can handle; answers the flow once everybody has parked what concerns him. */
async function breakOne(sample: string) {
  const flow = await appendBrokenFlow(cluster.store, sample);
  await eventually(async () => {
    const items = await parked(`?correlationId=${flow.id}`);
    return items.length === readersOfEvents.length + 1 || undefined;
  });
  return flow;
}

async function bots(): Promise<ClusterProcess> {
  return cluster.start({ TIDINGS_ROLES: 'bots' });
}

const missing = redisIsMissing();
if (missing !== undefined) specNotRun('an installation that is operated from a process without consumers', missing);
else {
  describe('an API process of several processes with roles of their own', () => {
    beforeEach(async () => {
      cluster = await Cluster.open();
      [front, others] = await Promise.all([
        cluster.start({ TIDINGS_ROLES: 'api' }),
        cluster.start({ TIDINGS_ROLES: 'sagas,projectors' }),
      ]);
    });

    afterEach(() => cluster.close());

    test('lists what any of them has parked, and has it redriven once and archived', async () => {
      const [a, b] = await Promise.all([bots(), bots()]);
      await cluster.areShared(a, b, others);
      await front.api.putRecipient('ada', 'ada@example.com');
      const { id: sample } = await front.api.finalView(await front.api.notify('ada'));
      const flow = await breakOne(sample);

      const [operation] = await parked('?type=notification.send.v1');
      const detail = await front.api.request<ParkedDetail>('GET', `/v1/parked/${operation!.id}`);
      expect(detail.body).toMatchObject({ consumer: 'notification.send-bot', event: { data: { recipientId: 'ada' } } });
      expect((await consumer('notification.send-bot')).parked).toBe(1);
      const [unreadable] = await parked('?consumer=notification.view-projector');
      const archived = await front.api.request('POST', `/v1/parked/${unreadable!.id}:archive`);
      expect(archived).toMatchObject({ status: 200, body: { id: unreadable!.id, state: 'archived' } });
      expect(await parked('?state=archived')).toEqual([archived.body]);

      await cluster.store.deleteStream(flow.brokenStream, 0n);
      const left = (await parked()).map(({ id }) => id);
      const redrive = () =>
        front.api.request<Redriven>('POST', '/v1/parked:redrive', { filter: { correlationId: flow.id } });
      expect(await redrive()).toMatchObject({ status: 200, body: { count: left.length, ids: left } });
      expect((await redrive()).body).toEqual({ dryRun: false, count: 0, ids: [] });
      expect(await front.api.finalView(flow.id)).toMatchObject({ status: 'sent' });
      expect(attemptsOf(await cluster.records(), flow.id)).toEqual(once);
      expect(cluster.smtp.mails).toHaveLength(2);
      expect(await parked()).toEqual([]);
      const handling = await eventually(async () => {
        const path = `/v1/handling?stream=${flow.operationStream}&revision=0`;
        const { items } = (await front.api.request<HandlingView>('GET', path)).body;
        return items.find(({ consumer: name, state }) => name === 'notification.send-bot' && state === 'handled');
      });
      expect(handling.transitions.map(({ type }) => type)).toEqual([
        'pending',
        'failed',
        'parked',
        'redriven',
        'handled',
      ]);
    });

    test('asks for a redrive durably where no process has the consumer now', async () => {
      const a = await bots();
      await cluster.areShared(a, others);
      await front.api.putRecipient('ada', 'ada@example.com');
      const { id: sample } = await front.api.finalView(await front.api.notify('ada'));
      const flow = await breakOne(sample);
      await cluster.store.deleteStream(flow.brokenStream, 0n);
      await a.server.kill();

      const filter = { consumer: 'notification.send-bot' };
      const asked = await front.api.request<Redriven>('POST', '/v1/parked:redrive', { filter });
      expect(asked).toMatchObject({ status: 202, body: { dryRun: false, count: 0, ids: [], pending: 1 } });
      await eventually(async () => (await consumer('notification.send-bot')).state === 'stopped' || undefined);
      expect(await consumer('notification.send-bot')).toMatchObject({ parked: 1, partitions: [] });

      const b = await bots();
      await cluster.areShared(b, others);
      // Those of the other consumers, now that there is somebody who has them; on a slow machine it is answered before.
      expect([200, 202]).toContain((await front.api.request('POST', '/v1/parked:redrive', { filter: {} })).status);
      expect(await front.api.finalView(flow.id)).toMatchObject({ status: 'sent' });
      expect(attemptsOf(await cluster.records(), flow.id)).toEqual(once);
      expect(cluster.smtp.mails).toHaveLength(2);
    });

    test('pauses a consumer in all of them, also in who takes over from one that is killed, and resumes it', async () => {
      const name = 'email.send-bot';
      const turn = (how: string) => front.api.request<ConsumerView>('POST', `/v1/consumers/${name}:${how}`);
      const [a, b] = await Promise.all([bots(), bots()]);
      await cluster.areShared(a, b, others);
      await front.api.putRecipient('ada', 'ada@example.com');
      const paused = await turn('pause');
      expect(paused).toMatchObject({ status: 200, body: { state: 'paused', partitions: allPartitions } });
      expect(await turn('pause')).toMatchObject({ status: 200, body: { pausedAt: paused.body.pausedAt } });
      for (const one of [a, b]) await eventually(() => isPausedIn(one, name));

      const ids = await Promise.all(Array.from({ length: 8 }, () => front.api.notify('ada')));
      await eventually(async () => (await consumer(name)).waiting === ids.length || undefined);
      await a.server.kill();
      await cluster.areShared(b, others);
      await eventually(() => isPausedIn(b, name));
      for (const asked of [front, b, others]) {
        expect(await consumer(name, asked)).toMatchObject({ state: 'paused', partitions: allPartitions });
      }
      const c = await bots();
      await cluster.areShared(b, c, others);
      await eventually(() => isPausedIn(c, name));
      expect(cluster.smtp.mails).toEqual([]);

      expect(await turn('resume')).toMatchObject({ status: 200, body: { state: 'running', pausedAt: null } });
      for (const id of ids) expect(await front.api.finalView(id)).toMatchObject({ status: 'sent' });
      const records = await cluster.records();
      for (const id of ids) expect(attemptsOf(records, id)).toEqual(once);
      expect(cluster.smtp.mails).toHaveLength(ids.length);
    });
  });
}
