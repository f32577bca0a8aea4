import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { StoreUnavailable } from '#libs/store/port';
import { NotificationFlow } from '#libs/testing/flow';
import { acceptBatch, type AcceptedBatch } from './batch.js';

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
