import { described, goodContent, unknownId, type RequestCheck } from './request-checks.js';

type Fields = Readonly<Record<string, unknown>>;

/** Posts items as a batch; tells what became of each, where it is taken. */
const batch =
  (items: unknown, more: Fields = {}): RequestCheck =>
  async (api) => {
    const answer = await api.request<Fields>('POST', '/v1/notifications:batch', { items, ...more });
    if (answer.status !== 202) return described(answer);
    const told = (answer.body['items'] as { status: string | number; errors?: { path: string }[] }[]).map(
      ({ status, errors }) => [status, ...(errors ?? []).map(({ path }) => path)].join(' '),
    );
    return `202, with ${told.join('; ')}`;
  };
const batchItem = { recipientId: 'good', content: goodContent };

const cancel =
  (id: string, body?: unknown): RequestCheck =>
  async (api) =>
    described(await api.request('POST', `/v1/notifications/${id}:cancel`, body));

/** By the input as the table has it. */
export const batchAndCancelChecks: Readonly<Record<string, RequestCheck>> = {
  // Many at once.
  'a batch without items': batch([]),
  'a batch of 1001 items': batch(Array.from({ length: 1_001 }, () => batchItem)),
  'a batch whose items are no array': batch({ 0: batchItem }),
  'a batch with an unknown field': batch([batchItem], { atomic: true }),
  'a batch of 10 MB': batch([{ ...batchItem, tags: { large: 'x'.repeat(10_000_000) } }]),
  'an item of a batch that is not valid': batch([batchItem, { ...batchItem, content: { text: 'Hello' } }]),
  'an item of a batch that is no object': batch([7, batchItem]),
  'an item of a batch to several recipients': batch([{ ...batchItem, recipientIds: ['good'] }]),
  'an item of a batch with a tag that looks sealed': batch([
    { ...batchItem, tags: { invoice: 'sealed.v1.abc.address.AAAA' } },
  ]),

  // Cancelling.
  'cancelling an unknown notification': cancel(unknownId),
  'cancelling a notification by an id that is no UUID': cancel('7'),
  'cancelling a notification that has ended': async (api) => {
    const { id } = await api.finalView(await api.notify('good'));
    return cancel(id)(api);
  },
  'cancelling with a body': cancel(unknownId, { reason: 'a mistake' }),
  'cancelling twice': async (api) => {
    const id = await api.notify('good', { deliverAt: '9999-12-31T23:59:59Z' });
    await cancel(id)(api);
    return cancel(id)(api);
  },
};
