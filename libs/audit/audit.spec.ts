import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '#libs/kernel';
import { defineBot, defineTopology, runtimeTimers, stream } from '#libs/runtime';
import { TemporaryStore, toyEvents, toyOperations } from '#libs/testing';
import { MemoryKeyStore, Vault } from '#libs/vault';
import type { AuditFilter } from './audit-filter.js';
import { Audit } from './audit.js';

const bot = defineBot({
  name: 'toy.bot',
  reads: [toyOperations, runtimeTimers],
  writes: [toyEvents],
  create: () => ({ handle: () => Promise.resolve() }),
});
const topology = defineTopology([
  stream(toyOperations, { producers: [], consumers: [bot] }),
  stream(toyEvents, { producers: [bot], consumers: [] }),
  stream(runtimeTimers, { producers: [], consumers: [bot] }),
]);

const rounds = 400;
const never = new AbortController().signal;

let opened: TemporaryStore;
let audit: Audit;
let impatient: Audit;
let head: bigint;

async function append(name: string, type: string, data: unknown, correlationId?: string): Promise<void> {
  const metadata = correlationId === undefined ? {} : { $correlationId: correlationId };
  await opened.store.append(name, 'any', [{ id: newId(), type, data, metadata }]);
}

beforeAll(async () => {
  opened = await TemporaryStore.open();
  const vault = new Vault(new MemoryKeyStore());
  for (let n = 0; n < rounds; n += 1) {
    await append(`toy.operation-${n}`, 'toy.do.v1', { n });
    await append(`toy.event-${n}`, n % 100 === 7 ? 'toy.rare.v1' : 'toy.done.v1', { n }, `flow-${n % 10}`);
    await append(`runtime.timer-${n}`, 'runtime.timer-scheduled.v1', { dueAt: n, purpose: 'toy' });
    await append('runtime.checkpoint-toy.bot', 'runtime.checkpoint-reached.v1', { position: String(n) });
  }
  await append('forgotten.event-1', 'forgotten.v1', {});
  audit = new Audit({ store: opened.store, topology, vault });
  impatient = new Audit({ store: opened.store, topology, vault }, 0);
  head = await audit.head();
});

afterAll(() => opened.remove());

/** Streams of all that match, page by page. */
async function pages(filter: AuditFilter, limit: number, by = audit) {
  const streams: string[] = [];
  const sizes: number[] = [];
  for (let position = 0n, more = true; more;) {
    const page = await by.page(filter, position, limit);
    expect(page.position).toBeGreaterThan(position);
    streams.push(...page.items.map((item) => item.stream));
    sizes.push(page.items.length);
    ({ position, more } = page);
  }
  return { streams, sizes };
}

const numbers = Array.from({ length: rounds }, (_, n) => n);

describe('what is shown', () => {
  test('where nothing is asked, what happened, and neither timers nor bookkeeping', async () => {
    const { streams } = await pages({}, 200);
    expect(streams).toEqual(numbers.flatMap((n) => [`toy.operation-${n}`, `toy.event-${n}`]));
  });

  test.each<[string, AuditFilter, (n: number) => string[]]>([
    ['a category', { categories: ['runtime.timer'] }, (n) => [`runtime.timer-${n}`]],
    ['the bookkeeping of consumers', { categories: ['runtime.checkpoint'] }, () => ['runtime.checkpoint-toy.bot']],
    [
      'several categories',
      { categories: ['toy.event', 'runtime.timer'] },
      (n) => [`toy.event-${n}`, `runtime.timer-${n}`],
    ],
    ['a stream, and none whose name goes on', { streams: ['toy.event-1'] }, (n) => (n === 1 ? ['toy.event-1'] : [])],
    ['a stream of timers', { streams: ['runtime.timer-3'] }, (n) => (n === 3 ? ['runtime.timer-3'] : [])],
    ['a type', { types: ['toy.rare.v1'] }, (n) => (n % 100 === 7 ? [`toy.event-${n}`] : [])],
    ['a flow', { correlationIds: ['flow-3'] }, (n) => (n % 10 === 3 ? [`toy.event-${n}`] : [])],
    ['a flow by the key of its stream', { correlationIds: ['3'] }, (n) => (n === 3 ? ['toy.operation-3'] : [])],
    [
      'all conditions together',
      { categories: ['toy.event'], types: ['toy.done.v1', 'toy.rare.v1'], correlationIds: ['flow-7', 'flow-8'] },
      (n) => ([7, 8].includes(n % 10) ? [`toy.event-${n}`] : []),
    ],
    [
      'nothing where conditions exclude each other',
      { categories: ['toy.operation'], streams: ['toy.event-1'] },
      () => [],
    ],
  ])('%s', async (_, filter, expected) => {
    const { streams } = await pages(filter, 200);
    expect(streams).toEqual(numbers.flatMap(expected));
  });

  test('a record of a type or category that is not known stands as it is, with the reason', async () => {
    const [rare] = (await audit.page({ types: ['toy.rare.v1'] }, 0n, 1)).items;
    expect(rare).toMatchObject({
      type: 'toy.rare.v1',
      data: { n: 7 },
      unreadable: expect.stringMatching('unknown type'),
    });
    const [forgotten] = (await audit.page({ streams: ['forgotten.event-1'] }, 0n, 1)).items;
    expect(forgotten).toMatchObject({ unreadable: 'unknown category' });
    const [checkpoint] = (await audit.page({ categories: ['runtime.checkpoint'] }, 0n, 1)).items;
    expect(checkpoint).not.toHaveProperty('unreadable');
  });
});

describe('pages', () => {
  test.each([1, 7, 64, 200])('of %d records lose nothing and repeat nothing', async (limit) => {
    const { streams, sizes } = await pages({ categories: ['toy.event'] }, limit);
    expect(streams).toEqual(numbers.map((n) => `toy.event-${n}`));
    expect(sizes.slice(0, -1).every((size) => size === limit)).toBe(true);
  });

  test('that would take too long are answered early, with the position from which to go on', async () => {
    const { streams, sizes } = await pages({ correlationIds: ['flow-3'] }, 200, impatient);
    expect(streams).toHaveLength(rounds / 10);
    expect(sizes.length).toBeGreaterThan(1);
  });

  test('at the end are empty, and say so', async () => {
    expect(await audit.page({}, head, 10)).toEqual({ items: [], position: head, more: false });
    expect(await audit.page({ types: ['toy.unheard.v1'] }, 0n, 10)).toEqual({ items: [], position: head, more: false });
  });
});

describe('ranges', () => {
  async function streamsIn(filter: AuditFilter, after: bigint, to: bigint): Promise<string[]> {
    const streams: string[] = [];
    for await (const { items } of audit.range(filter, after, to, never))
      streams.push(...items.map(({ stream }) => stream));
    return streams;
  }

  test('hold what is after the one position and up to the other', async () => {
    const all = await streamsIn({}, 0n, head);
    expect(all).toHaveLength(rounds * 2);
    const middle = BigInt((await audit.page({}, 0n, 100)).items.at(-1)!.position);
    expect(await streamsIn({}, 0n, middle)).toEqual(all.slice(0, 100));
    expect(await streamsIn({}, middle, head)).toEqual(all.slice(100));
    expect(await streamsIn({}, head, head)).toEqual([]);
  });

  test('that are broken off are not taken for complete ones', async () => {
    const stopping = new AbortController();
    const range = audit.range({}, 0n, head, stopping.signal);
    await range.next();
    stopping.abort();
    await expect(range.next()).rejects.toThrow('ended before');
  });
});
