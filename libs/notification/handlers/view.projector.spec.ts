import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { EmailFailure, sendEmailBot } from '#libs/channel/email';
import fc from 'fast-check';
import { filter, firstValueFrom } from 'rxjs';
import { streamName } from '#libs/kernel';
import { rebuildableView, ViewRebuilds, ViewVersions, type Deferred } from '#libs/runtime';
import { NotificationFlow, type HandlerRun } from '#libs/testing/flow';
import { accept } from '../http/accept.js';
import { foldView, readHistory } from '../view/history.js';
import { notificationViews, type NotificationView } from '../view/notification-view.js';
import { deliverySagaHandler } from './delivery.saga-handler.js';
import { fanOutBot } from './fan-out.bot.js';
import { sendBot } from './send.bot.js';
import { viewProjector } from './view.projector.js';

let flow: NotificationFlow;
let id: string;
beforeEach(async () => {
  jest.useFakeTimers({
    doNotFake: [
      'Date',
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'setTimeout',
      'clearTimeout',
    ],
  });
  flow = await NotificationFlow.open();
  await flow.putRecipient('user-42', { address: 'ada@example.com' });
  const dto = { recipientId: 'user-42', content: { subject: 'Invoice 7', text: 'Please pay.' } };
  const request = { caller: 'anybody', idempotencyKey: undefined, traceparent: undefined, now: flow.now() };
  ({ id } = await accept({ ...flow.services, client: flow.client }, dto, request));
});
afterEach(async () => {
  await flow.close();
  jest.useRealTimers();
});

/** Hands the projector all that is there; answers what it put off. */
async function project(run: HandlerRun): Promise<Deferred[]> {
  const deferred: Deferred[] = [];
  for (const record of await run.waiting()) {
    const rest = await run.handle(record);
    if (rest) deferred.push(rest);
  }
  return deferred;
}

async function written(): Promise<readonly NotificationView[]> {
  return (await flow.client.read(notificationViews, id)).map(({ data }) => data);
}

async function folded(): Promise<NotificationView | undefined> {
  return foldView(await readHistory(flow.client, id));
}

const sweep = () => jest.advanceTimersByTime(250);
const settled = (deferred: readonly Deferred[]) => Promise.all(deferred.map((one) => one.settled));

describe('writes', () => {
  test('an intermediate state at most once a second, a final one at once', async () => {
    const run = flow.run(viewProjector);
    await flow.drive([sendBot]);
    const appends = flow.appends;
    const first = await project(run);
    sweep();
    flow.advance(900);
    sweep();
    expect(flow.appends).toBe(appends);
    flow.advance(200);
    sweep();
    expect(await settled(first)).toEqual([true, true]);
    expect((await written()).map(({ status }) => status)).toEqual(['sending']);

    const busy = new EmailFailure('busy', { stage: 'send', kind: 'transient', code: 451 });
    flow.services.transport.failures.push(busy);
    await flow.drive([fanOutBot, sendEmailBot]);
    const second = await project(run);
    flow.advance(1_100);
    sweep();
    await settled(second);
    expect((await written()).map(({ channels }) => channels.email?.status)).toEqual(['pending', 'sent']);

    await flow.drive([deliverySagaHandler]);
    await settled(await project(run));
    expect((await written()).map(({ status }) => status)).toEqual(['sending', 'sending', 'sent']);
    expect((await written()).at(-1)).toEqual(await folded());
    await run.stop();
  });

  test('what is not written yet when it stops', async () => {
    const run = flow.run(viewProjector);
    await flow.drive([sendBot]);
    const deferred = await project(run);
    await run.stop();
    expect(await settled(deferred)).toEqual([true, true]);
    expect(await written()).toEqual([await folded()]);
  });

  test('nothing older than what stands', async () => {
    await flow.drive();
    const standing = await written();
    const late = flow.run(viewProjector);
    for (const record of await late.waiting()) await late.handle(record);
    await late.stop();
    expect(await written()).toEqual(standing);
  });

  test('the newest state, whichever of two projectors is quicker', async () => {
    const [one, other] = [flow.run(viewProjector), flow.run(viewProjector)];
    await flow.drive([sendBot]);
    const ofBoth = [...(await project(one)), ...(await project(other))];
    await flow.drive([fanOutBot, sendEmailBot, deliverySagaHandler]);
    ofBoth.push(...(await project(other)), ...(await project(one)));
    await Promise.all([one.stop(), other.stop()]);
    await settled(ofBoth);
    const views = await written();
    expect(views.at(-1)).toEqual(await folded());
    const positions = views.map(({ position }) => BigInt(position));
    expect(positions).toEqual([...positions].sort((a, b) => (a < b ? -1 : 1)));
  });
});

test('goes on from its checkpoint without having seen what was before', async () => {
  const before = flow.run(viewProjector);
  await flow.drive([sendBot]);
  await project(before);
  await before.stop();
  await flow.drive([fanOutBot, sendEmailBot, deliverySagaHandler]);
  const after = flow.run(viewProjector);
  for (const record of await before.waiting()) await after.handle(record);
  await after.stop();
  expect((await written()).at(-1)).toEqual(await folded());
});

/** Builds the views anew, as the next version, and answers which. */
async function rebuild(): Promise<number> {
  const versions = new ViewVersions(flow.store, [notificationViews]);
  await versions.start();
  const log = {
    started: () => undefined,
    switched: () => undefined,
    failed: (_: string, error: unknown) => Promise.reject(error),
  };
  const rebuilds = new ViewRebuilds({
    store: flow.store,
    versions,
    handlers: [viewProjector],
    runsHere: () => true,
    reached: () => Promise.resolve(0n),
    isShared: false,
    log,
    grace: 60_000,
  });
  const switched = firstValueFrom(versions.changes.pipe(filter(({ state }) => state.building === undefined)));
  await rebuildableView(flow.store, versions, notificationViews).rebuild();
  const { state } = await switched;
  await rebuilds.stop();
  await versions.stop();
  return state.serving;
}

async function lastOf(stream: string): Promise<unknown> {
  for await (const { data } of flow.store.readStream(stream, { direction: 'backwards', limit: 1 })) return data;
  return undefined;
}

describe('built anew', () => {
  test('a view is the same to the byte, and nothing else is written', async () => {
    await flow.drive();
    const before = await flow.stored();
    const version = await rebuild();
    expect(version).toBe(2);
    const live = await lastOf(streamName(notificationViews, id, 1));
    expect(JSON.stringify(await lastOf(streamName(notificationViews, id, 2)))).toBe(JSON.stringify(live));
    const added = (await flow.stored()).slice(before.length).filter(({ stream }) => !stream.startsWith('runtime.'));
    expect(added.map(({ stream }) => stream)).toEqual([streamName(notificationViews, id, 2)]);
    expect(added[0]!.metadata).toMatchObject({ $correlationId: id });
  });

  test('property: wherever the flow was, each view is the fold of what happened', async () => {
    const bots = [sendBot, fanOutBot, sendEmailBot, deliverySagaHandler];
    const step = fc.oneof(fc.constant('post' as const), fc.constant('busy' as const), fc.constantFrom(...bots));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const ids = [id];
        for (const one of steps) {
          if (one === 'busy') {
            flow.services.transport.failures.push(
              new EmailFailure('busy', { stage: 'send', kind: 'transient', code: 451 }),
            );
          } else if (one === 'post') {
            const dto = { recipientId: 'user-42', content: { subject: 'Invoice 7', text: 'Please pay.' } };
            const request = { caller: 'anybody', idempotencyKey: undefined, traceparent: undefined, now: flow.now() };
            ids.push((await accept({ ...flow.services, client: flow.client }, dto, request)).id);
          } else await flow.drive([one]);
        }
        const version = await rebuild();
        for (const each of ids) {
          const expected = foldView(await readHistory(flow.client, each));
          const rebuilt = await lastOf(streamName(notificationViews, each, version));
          expect(JSON.stringify(rebuilt)).toBe(JSON.stringify(expected));
        }
      }),
      { numRuns: 10 },
    );
  });

  test('a projector that has seen more, or less, goes on with the version that serves', async () => {
    const versions = new ViewVersions(flow.store, [notificationViews]);
    await versions.start();
    const run = flow.run(viewProjector, flow.store, versions);
    await flow.drive([sendBot]);
    const first = await project(run);
    await flow.drive([fanOutBot, sendEmailBot]);
    await rebuild();
    await versions.decide(notificationViews, () => []);
    expect(versions.versionOf(notificationViews)).toBe(2);
    // What it had put off is older than what stands by now.
    flow.advance(1_100);
    sweep();
    await settled(first);
    const stream = streamName(notificationViews, id, 2);
    expect(await lastOf(stream)).toMatchObject({ channels: { email: { status: 'sent' } } });
    await flow.drive([deliverySagaHandler]);
    await settled(await project(run));
    expect(await lastOf(stream)).toEqual(await folded());
    expect(await written()).toEqual([]);
    await run.stop();
    await versions.stop();
  });
});

test('events of a notification that nobody has requested make no view', async () => {
  await flow.drive();
  const run = flow.run(viewProjector);
  const records = await run.waiting();
  const appends = flow.appends;
  const stray = records.find(({ type }) => type === 'email.sent.v1')!;
  expect(await run.handle({ ...stray, metadata: { $correlationId: 'unknown' } })).toBeUndefined();
  await run.stop();
  expect(flow.appends).toBe(appends);
});
