import { beforeAll, describe, expect, test } from '@jest/globals';
import type { ConsumerView, HandlingView, ParkedDetail, ParkedItem, ParkedPage, Redriven } from '#libs/operator';
import { eventually, useServer } from '../support/index.js';
import {
  allParked,
  mendFlow,
  readersOfEvents,
  restartWithBrokenFlow,
  type BrokenFlow,
} from './operator/parked-records.js';

const server = useServer();
const { api } = server;
let flow: BrokenFlow;
let sample: string;
let total: number;

beforeAll(async () => {
  ({ flow, sample } = await restartWithBrokenFlow(server));
  total = (await allParked(api)).length;
});

async function parked(query = ''): Promise<ParkedPage> {
  return (await api.request<ParkedPage>('GET', `/v1/parked${query}`)).body;
}

async function consumer(name: string): Promise<ConsumerView> {
  const { body } = await api.request<{ items: ConsumerView[] }>('GET', '/v1/consumers');
  return body.items.find((item) => item.name === name)!;
}

async function handling(stream: string, by: string) {
  const { body } = await api.request<HandlingView>('GET', `/v1/handling?stream=${stream}&revision=0`);
  const { state, transitions } = body.items.find((item) => item.consumer === by)!;
  return { state, transitions: transitions.map(({ type }) => type) };
}

/** As `handling`, once its last transition is in the store. */
function handlingOnce(last: string, stream: string, by: string) {
  return eventually(async () => {
    const found = await handling(stream, by);
    return found.transitions.at(-1) === last ? found : undefined;
  });
}

async function parkedOperation(): Promise<ParkedItem | undefined> {
  return (await parked('?type=notification.send.v1')).items[0];
}

describe('parked records', () => {
  test('are listed with what happened to them, and found by what they are', async () => {
    const { items, nextCursor } = await parked();
    expect(nextCursor).toBeNull();
    expect(items.map(({ consumer, record }) => `${record.type} ${consumer}`)).toEqual([
      ...readersOfEvents.map((name) => `from.the-future.v9 ${name}`),
      'notification.send.v1 notification.send-bot',
    ]);
    const operation = items.at(-1)!;
    expect(operation).toMatchObject({
      id: expect.any(String),
      state: 'parked',
      record: { stream: flow.operationStream, revision: 0, position: expect.stringMatching(/^\d+$/) },
      correlationId: flow.id,
      parkedAt: operation.tries[0]!.at,
      archivedAt: null,
      tries: [{ error: expect.stringContaining('unknown type') }],
    });
    for (const [query, count] of [
      ['?consumer=notification.send-bot', 1],
      ['?type=notification.send.v1', 1],
      [`?stream=${flow.brokenStream}&consumer=notification.fan-out-bot`, 1],
      [`?correlationId=${flow.id}`, total],
      [`?error=unknown%20type`, total],
      [`?correlationId=${sample}`, 0],
      ['?state=archived', 0],
    ] as const) {
      expect([query, (await parked(query)).items.length]).toEqual([query, count]);
    }
  });

  test('are listed page by page', async () => {
    const all = (await parked()).items;
    const first = await parked(`?limit=${total - 1}`);
    const second = await parked(`?limit=${total - 1}&cursor=${first.nextCursor}`);
    expect(first.items).toHaveLength(total - 1);
    expect([...first.items, ...second.items]).toEqual(all);
    expect(second.nextCursor).toBeNull();
  });

  test('are shown as they stand, opened where they can be read', async () => {
    const { id } = (await parkedOperation())!;
    const { body } = await api.request<ParkedDetail>('GET', `/v1/parked/${id}`);
    expect(body.event).toMatchObject({ type: 'notification.send.v1', data: { recipientId: 'ada', subject: 'Hello' } });
    expect(body.event).not.toHaveProperty('unreadable');
    const [bad] = (await parked('?type=from.the-future.v9')).items;
    expect((await api.request('GET', `/v1/parked/${bad!.id}`)).body).toMatchObject({
      id: bad!.id,
      event: { data: { hello: 'world' }, unreadable: expect.stringContaining('unknown type') },
    });
  });

  test('what a consumer did with a record', async () => {
    expect(await handlingOnce('parked', flow.operationStream, 'notification.send-bot')).toEqual({
      state: 'parked',
      transitions: ['pending', 'failed', 'parked'],
    });
    expect(await handlingOnce('handled', `notification.clientOperation-${sample}`, 'notification.send-bot')).toEqual({
      state: 'handled',
      transitions: ['pending', 'handled'],
    });
    const { body } = await api.request<HandlingView>('GET', `/v1/handling?stream=${flow.brokenStream}&revision=0`);
    expect(body).toMatchObject({ record: { type: 'from.the-future.v9' }, correlationId: flow.id });
    expect(body.items.map((item) => item.consumer).sort()).toEqual(readersOfEvents);
  });

  test('a redrive that does not help parks the record again, under the same id', async () => {
    const { id, parkedAt } = (await parkedOperation())!;
    const { status, body } = await api.request<Redriven>('POST', '/v1/parked:redrive', { filter: { ids: [id] } });
    expect({ status, body }).toEqual({ status: 200, body: { dryRun: false, count: 1, ids: [id] } });
    await handlingOnce('parked', flow.operationStream, 'notification.send-bot');
    const again = await eventually(parkedOperation);
    expect(again).toMatchObject({ id, tries: [expect.anything()] });
    expect(again.parkedAt > parkedAt).toBe(true);
    expect(await handlingOnce('parked', flow.operationStream, 'notification.send-bot')).toEqual({
      state: 'parked',
      transitions: ['pending', 'failed', 'parked', 'redriven', 'failed', 'parked'],
    });
  });

  test('one that is archived is listed as such, and redriven no more', async () => {
    const [bad] = (await parked(`?consumer=notification.view-projector`)).items;
    const archive = () => api.request<ParkedItem>('POST', `/v1/parked/${bad!.id}:archive`);
    const { status, body } = await archive();
    expect({ status, body }).toMatchObject({ status: 200, body: { id: bad!.id, state: 'archived' } });
    expect(await archive()).toMatchObject({ status: 200, body });
    expect((await parked()).items).toHaveLength(total - 1);
    expect((await parked('?state=archived')).items).toEqual([body]);
    const redriven = await api.request('POST', '/v1/parked:redrive', { filter: { ids: [bad!.id] } });
    expect(redriven.body).toEqual({ dryRun: false, count: 0, ids: [] });
    expect(await handling(flow.brokenStream, 'notification.view-projector')).toEqual({
      state: 'archived',
      transitions: ['pending', 'failed', 'parked', 'archived'],
    });
  });

  test('once the cause is mended, a redrive brings the flow to its end', async () => {
    await server.restart(() => mendFlow(server.dataDir, flow));
    expect((await parked()).items).toHaveLength(total - 1);
    expect((await parked('?state=archived')).items).toHaveLength(1);
    const [gone] = (await parked('?type=from.the-future.v9')).items;
    expect((await api.request('GET', `/v1/parked/${gone!.id}`)).body).toMatchObject({ event: null });

    const filter = { correlationId: flow.id, error: 'unknown type' };
    const dry = await api.request<Redriven>('POST', '/v1/parked:redrive', { filter, dryRun: true });
    expect(dry.body).toMatchObject({ dryRun: true, count: total - 1 });
    expect((await parked()).items.map(({ id }) => id)).toEqual(dry.body.ids);
    const wet = await api.request<Redriven>('POST', '/v1/parked:redrive', { filter });
    expect(wet.body).toEqual({ ...dry.body, dryRun: false });

    expect(await api.finalView(flow.id)).toMatchObject({ status: 'sent' });
    expect((await parked()).items).toEqual([]);
    expect(await handlingOnce('handled', flow.operationStream, 'notification.send-bot')).toEqual({
      state: 'handled',
      transitions: ['pending', 'failed', 'parked', 'redriven', 'failed', 'parked', 'redriven', 'handled'],
    });
  });
});

describe('a consumer', () => {
  const name = 'notification.send-bot';
  const turn = (how: string) => api.request<ConsumerView>('POST', `/v1/consumers/${name}:${how}`);

  test('is listed with how far it is, and has no lag where it has handled everything', async () => {
    const view = await eventually(async () => {
      const current = await consumer(name);
      return current.lag === 0 ? current : undefined;
    });
    expect(view).toMatchObject({
      name,
      role: 'bot',
      state: 'running',
      position: expect.stringMatching(/^\d+$/),
      handled: expect.any(Number),
      waiting: 0,
      retrying: 0,
      parked: 0,
      pausedAt: null,
    });
  });

  test('that is paused hands out nothing, also after a restart; resumed, it goes on where it was', async () => {
    const paused = await turn('pause');
    expect(paused).toMatchObject({ status: 200, body: { state: 'paused', pausedAt: expect.any(String) } });
    expect(await turn('pause')).toMatchObject({ status: 200, body: { pausedAt: paused.body.pausedAt } });
    const before = await api.notify('ada');
    await eventually(async () => ((await consumer(name)).waiting === 1 ? true : undefined));
    await server.restart();
    expect(await consumer(name)).toMatchObject({ state: 'paused', pausedAt: expect.any(String) });
    const after = await api.notify('ada');
    await eventually(async () => ((await consumer(name)).waiting === 2 ? true : undefined));
    expect((await api.view(before)).status).toBe('requested');
    expect(await handling(`notification.clientOperation-${before}`, name)).toEqual({
      state: 'pending',
      transitions: ['pending'],
    });

    expect(await turn('resume')).toMatchObject({ status: 200, body: { state: 'running', pausedAt: null } });
    expect((await api.finalView(before)).status).toBe('sent');
    expect((await api.finalView(after)).status).toBe('sent');
    expect(await turn('resume')).toMatchObject({ status: 200, body: { state: 'running' } });
  });
});

test.each([
  ['POST', '/v1/consumers/nobody:pause', undefined, 404, undefined],
  ['POST', '/v1/consumers/notification.send-bot:stop', undefined, 404, undefined],
  ['POST', '/v1/consumers/notification.send-bot:pause', { until: 'noon' }, 422, 'until'],
  ['GET', '/v1/consumers?name=x', undefined, 422, 'name'],
  ['GET', '/v1/parked?consumer=nobody', undefined, 422, 'consumer'],
  ['GET', '/v1/parked?state=gone', undefined, 422, 'state'],
  ['GET', '/v1/parked?cursor=x', undefined, 422, 'cursor'],
  ['GET', '/v1/parked?limit=0', undefined, 422, 'limit'],
  ['GET', '/v1/parked?ids=x', undefined, 422, 'ids'],
  ['GET', '/v1/parked/0197a000-0000-7000-8000-000000000000', undefined, 404, undefined],
  ['POST', '/v1/parked/0197a000-0000-7000-8000-000000000000:archive', undefined, 404, undefined],
  ['POST', '/v1/parked:redrive', {}, 422, 'filter'],
  ['POST', '/v1/parked:redrive', { filter: { ids: ['x'] } }, 422, 'filter.ids'],
  ['POST', '/v1/parked:redrive', { filter: { id: 'x' } }, 422, 'filter.id'],
  ['POST', '/v1/parked:redrive', { filter: {}, dryrun: true }, 422, 'dryrun'],
  ['POST', '/v1/parked:redrive', { filter: { consumer: 'nobody' } }, 422, 'filter.consumer'],
  ['GET', '/v1/handling', undefined, 422, 'stream'],
  ['GET', '/v1/handling?stream=notification.event-x&revision=x', undefined, 422, 'revision'],
  ['GET', '/v1/handling?stream=notification.event-x&revision=0', undefined, 404, undefined],
])('%s %s with %j answers %i %s', async (method, path, body, status, field) => {
  const answer = await api.request<{ errors?: { path: string }[] }>(method, path, body);
  expect([answer.status, answer.body.errors?.[0]?.path]).toEqual([status, field]);
});
