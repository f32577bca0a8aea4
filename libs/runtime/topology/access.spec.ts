import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defineStream, StreamAccessDenied, type RecordedEvent, type Schema } from '#libs/kernel';
import { enqueue, eventually, TemporaryStore, toyEvents, ToyFlow, toyOperations } from '#libs/testing';
import { openClient, type ClientContext } from './access.js';
import { defineBot, defineClient } from './handler.js';
import { defineTopology, stream, TopologyError } from './topology.js';

const anything: Schema<object> = { problems: () => [] };
const secrets = defineStream('secret', 'event', { 'secret.told.v1': anything });
const create = () => ({ handle: () => Promise.resolve() });

let temporary: TemporaryStore;
beforeAll(async () => {
  temporary = await TemporaryStore.open();
});
afterAll(() => temporary.remove());

/** What a client gets that is told nothing by its types. */
function clientOf(declaration: { readonly writes: readonly (typeof toyEvents)[] }) {
  const client = defineClient({ name: 'toy.client', looksUp: [toyOperations], ...declaration });
  return openClient(temporary.store, client) as unknown as ClientContext<typeof secrets, typeof secrets>;
}

describe('access at run time', () => {
  it('is denied to a handler that has not declared it, for reading and writing', async () => {
    const denials: unknown[] = [];
    const attempt = (act: () => unknown) =>
      Promise.resolve()
        .then(act)
        .catch((error: unknown) => denials.push(error));
    const flow = await ToyFlow.start(temporary.store, {
      handle: async (_record, context) => {
        const told = [{ type: 'secret.told.v1' as const, data: {} }];
        await attempt(() => context.read(secrets as never, 'k'));
        await attempt(() => context.last(secrets as never, 'k'));
        await attempt(() => context.write(secrets as never, 'k', 'noStream', told as never));
        await attempt(() => context.append({ stream: 'secret.event-k', expected: 'noStream', events: [] }));
        await attempt(() => context.append({ stream: 'toy.operation-k', expected: 'noStream', events: [] }));
      },
    });
    await enqueue(temporary.store, 'a', 1);
    await eventually(() => denials.length === 5);
    await flow.drain();
    expect(denials.every((denial) => denial instanceof StreamAccessDenied)).toBe(true);
    expect(denials.map(String)).toEqual([
      'StreamAccessDenied: toy.consumer has not declared to read secret.event',
      'StreamAccessDenied: toy.consumer has not declared to read secret.event',
      'StreamAccessDenied: toy.consumer has not declared to write secret.event',
      'StreamAccessDenied: toy.consumer has not declared to write secret.event',
      'StreamAccessDenied: toy.consumer has not declared to write toy.operation',
    ]);
  });

  it('is denied to a client likewise', async () => {
    const client = clientOf({ writes: [toyEvents] });
    const told = [{ type: 'secret.told.v1' as const, data: {} }];
    await expect(client.read(secrets, 'k')).rejects.toThrow(StreamAccessDenied);
    await expect(client.append(secrets, 'k', 'noStream', told, { correlationId: 'k' })).rejects.toThrow(
      'toy.client has not declared to write secret.event',
    );
  });

  it('gives what a handler writes the ids of its cause, so that handled again it writes nothing more', async () => {
    const { store } = temporary;
    let runs = 0;
    const flow = await ToyFlow.start(store, {
      handle: async ({ data }, context) => {
        const append = context.write(toyEvents, 'ids', 'noStream', [{ type: 'toy.done.v1', data }]);
        const fresh = context.write(toyEvents, 'ids', 'noStream', [{ type: 'toy.done.v1', data }], 'fresh');
        expect(fresh.events[0]!.id).not.toBe(append.events[0]!.id);
        await context.append(append);
        runs += 1;
        if (runs === 1) throw new Error('once more');
      },
      retry: { immediate: [0], later: [] },
    });
    const cause = await enqueue(store, 'ids', 1);
    await eventually(() => runs === 2);
    await flow.drain();
    const written: RecordedEvent[] = [];
    for await (const record of store.readStream('toy.event-ids')) written.push(record);
    expect(written).toHaveLength(1);
    expect(written[0]!.metadata).toEqual({ $correlationId: 'ids', $causationId: cause });
  });
});

describe('a topology at run time', () => {
  const bot = defineBot({ name: 'a.bot', reads: [toyOperations], writes: [toyEvents], create });

  it('refuses a handler that reads or writes what does not list it', () => {
    const define = defineTopology as (streams: unknown) => unknown;
    expect(() => define([stream(toyOperations, { producers: [], consumers: [bot] })])).toThrow(
      new TopologyError('not in the topology: a.bot writes toy.event'),
    );
    expect(() => define([stream(toyEvents, { producers: [bot], consumers: [] })])).toThrow(
      'not in the topology: a.bot reads toy.operation',
    );
  });

  it('refuses a stream that is declared twice, and two handlers of one name', () => {
    const twice = stream(secrets, { producers: [], consumers: [] });
    expect(() => defineTopology([twice, twice])).toThrow(new TopologyError('secret.event is declared twice'));
    const other = defineBot({ name: 'a.bot', reads: [toyOperations], writes: [], create });
    expect(() =>
      defineTopology([
        stream(toyOperations, { producers: [], consumers: [bot, other] }),
        stream(toyEvents, { producers: [bot], consumers: [] }),
      ]),
    ).toThrow('two handlers are called a.bot');
  });
});
