import { beforeAll, expect, test } from '@jest/globals';
import type { ConsumerView, HandlingView, ParkedDetail, ParkedItem, ParkedPage, Redriven } from '#libs/operator';
import { enqueue, eventually as soon, TemporaryStore, ToyFlow } from '#libs/testing';
import {
  allParked,
  breakFlow,
  mendFlow,
  readersOfEvents,
  type BrokenFlow,
} from '../scenario/operator/parked-records.js';
import { eventually, runServer } from '../support/index.js';
import { gate, mailOf, useWorld } from './support/index.js';

// Who is held is held for as long as the test takes, and asked for once.
const world = useWorld({ useDirectory: true, settings: { TIDINGS_DIRECTORY_TIMEOUT: '60' } });
let flow: BrokenFlow;

beforeAll(async () => {
  const sample = await world.api.notify('sample');
  await world.api.finalView(sample);
  await world.idle();
  await world.restart(async () => {
    flow = await breakFlow(world.dataDir, sample);
  });
});

const parked = async (query = '') => (await world.api.request<ParkedPage>('GET', `/v1/parked${query}`)).body.items;
const redrive = async (filter: object) =>
  (await world.api.request<Redriven>('POST', '/v1/parked:redrive', { filter })).body;

async function handling(stream: string, revision = 0) {
  const path = `/v1/handling?stream=${stream}&revision=${revision}`;
  return (await world.api.request<HandlingView>('GET', path)).body.items;
}

test('24. A handler that throws: the record fails with details, is retried by policy, then parked; redriven, it goes on', async () => {
  const temporary = await TemporaryStore.open();
  let broken = true;
  const tries: number[] = [];
  const toy = await ToyFlow.start(temporary.store, {
    handle: async ({ data }) => {
      tries.push(data.n);
      if (broken) throw new Error(`${data.n} does not work`);
    },
    retry: { immediate: [1], later: [20, 30] },
  });
  try {
    await enqueue(temporary.store, 'a', 7);
    await soon(() => toy.consumer.status().parked === 1);
    // Three rounds, each with one immediate repetition.
    expect(tries).toHaveLength(6);
    const [record] = toy.consumer.listParked();
    expect(record).toMatchObject({
      tries: Array.from({ length: 3 }, () => ({ at: expect.any(Number), error: '7 does not work' })),
    });
    expect(toy.failures.map(({ action }) => action)).toEqual(expect.arrayContaining(['again', 'later', 'park']));
    broken = false;
    expect(await toy.consumer.redrive(record!.record)).toBe(true);
    await soon(() => tries.length === 7 && toy.consumer.status().retrying === 0);
    expect(toy.consumer.listParked()).toEqual([]);
  } finally {
    await toy.drain();
    await temporary.remove();
  }
});

test('24. Parked records are listed, inspected, redriven or archived, and an archived one is never picked again', async () => {
  const all = await allParked(world.api);
  expect(new Set(all.map(({ consumer }) => consumer))).toEqual(new Set([...readersOfEvents, 'notification.send-bot']));
  const [operation] = await parked('?type=notification.send.v1');
  expect(operation).toMatchObject({
    state: 'parked',
    consumer: 'notification.send-bot',
    record: { stream: flow.operationStream, revision: 0 },
    tries: [{ at: operation!.parkedAt, error: expect.stringContaining('unknown type') }],
  });
  const inspected = await world.api.request<ParkedDetail>('GET', `/v1/parked/${operation!.id}`);
  expect(inspected.body.event).toMatchObject({ type: 'notification.send.v1', data: { recipientId: 'sample' } });

  const [projection] = await parked('?consumer=notification.view-projector');
  const archived = await world.api.request<ParkedItem>('POST', `/v1/parked/${projection!.id}:archive`);
  expect(archived).toMatchObject({ status: 200, body: { state: 'archived' } });
  expect(await redrive({ ids: [projection!.id] })).toMatchObject({ count: 0, ids: [] });

  await world.restart(() => mendFlow(world.dataDir, flow));
  expect(await parked('?state=archived')).toMatchObject([{ id: projection!.id }]);
  expect((await redrive({ correlationId: flow.id })).ids).not.toContain(projection!.id);
  await eventually(async () => (await parked()).length === 0 || undefined);
  expect((await world.api.finalView(flow.id)).status).toBe('sent');
  expect(await parked('?state=archived')).toMatchObject([{ id: projection!.id, state: 'archived' }]);
});

test('25. One worker at a time: a record that is being handled is handed to nobody else', async () => {
  const door = gate();
  world.directory.knows('held', { audience: door.opened.then(() => ({ audience: {} })) });
  const id = await world.api.notify('held');
  await eventually(async () => world.directory.timesAsked('audience', id) === 1 || undefined);
  // Others are handled meanwhile, so nothing but this record's worker holds it up.
  for (let count = 0; count < 5; count += 1) await world.api.finalView(await world.api.notify(`passer${count}`));
  const second = await runServer(world.dataDir, []);
  expect(second.code).toBe(1);
  expect(second.stderr).toContain('is in use');
  expect(world.directory.timesAsked('audience', id)).toBe(1);
  door.open();
  expect((await world.api.finalView(id)).status).toBe('sent');
  expect(world.directory.timesAsked('audience', id)).toBe(1);
  expect(world.mailsTo('held')).toHaveLength(1);
});

test('25. Two concerns handle a record independently', async () => {
  const turn = (how: string) => world.api.request('POST', `/v1/consumers/notification.retention-reactor:${how}`);
  await turn('pause');
  const id = await world.api.notify('twice');
  expect((await world.api.finalView(id)).status).toBe('sent');
  const states = async () =>
    Object.fromEntries((await handling(`notification.event-${id}`)).map(({ consumer, state }) => [consumer, state]));
  const handledBut = async (state: string) =>
    eventually(async () => {
      const { 'notification.retention-reactor': retention, ...others } = await states();
      return (retention === state && Object.values(others).every((other) => other === 'handled')) || undefined;
    });
  await handledBut('pending');
  expect(Object.keys(await states()).length).toBeGreaterThan(5);
  await turn('resume');
  await handledBut('handled');
});

test('26. A paused consumer hands out nothing and says so; resumed, it goes on where it was', async () => {
  const turn = (how: string) => world.api.request<ConsumerView>('POST', `/v1/consumers/email.send-bot:${how}`);
  expect(await turn('pause')).toMatchObject({ status: 200, body: { state: 'paused', pausedAt: expect.any(String) } });
  const ids = [];
  for (let count = 0; count < 3; count += 1) ids.push(await world.api.notify(`patient${count}`));
  await eventually(async () => (await world.consumer('email.send-bot')).waiting === 3 || undefined);
  await world.restart();
  await eventually(async () => (await world.consumer('email.send-bot')).waiting === 3 || undefined);
  expect(await world.consumer('email.send-bot')).toMatchObject({ state: 'paused', handled: 0 });
  const patients = [0, 1, 2].flatMap((count) => world.mailsTo(`patient${count}`));
  expect(patients).toEqual([]);
  for (const id of ids) {
    expect(await world.typesOf(id)).toContain('email.send.v1');
    expect(await world.typesOf(id)).not.toContain('email.claimed.v1');
  }
  expect(await turn('resume')).toMatchObject({ status: 200, body: { state: 'running', pausedAt: null } });
  for (const id of ids) expect((await world.api.finalView(id)).status).toBe('sent');
  for (const count of [0, 1, 2]) expect(world.mailsTo(`patient${count}`)).toHaveLength(1);
});

test('28. The handling history of a record: every transition with its time and details', async () => {
  world.smtp.behave({ at: 'recipient', recipient: mailOf('retried'), times: 1, reply: '451 4.3.0 try later' });
  const id = await world.api.notify('retried');
  const view = await world.api.finalView(id);
  expect(view.channels.email!.operations).toMatchObject([{ attempts: 2, status: 'succeeded' }]);
  const stream = `email.operation-${view.channels.email!.operations[0]!.id}`;
  const history = await eventually(async () => {
    const [first] = await handling(stream);
    return first?.state === 'handled' ? first : undefined;
  });
  expect(history).toMatchObject({ consumer: 'email.send-bot', role: 'bot' });
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(history.transitions).toEqual([
    { type: 'pending', at: time },
    { type: 'retryScheduled', at: time, dueAt: time },
    { type: 'handled', at: time },
  ]);
  const times = history.transitions.map(({ at }) => at!);
  expect([...times].sort()).toEqual(times);
  const [atOnce] = await handling(`notification.clientOperation-${id}`);
  expect(atOnce).toMatchObject({ state: 'handled', transitions: [{ type: 'pending' }, { type: 'handled' }] });
});
