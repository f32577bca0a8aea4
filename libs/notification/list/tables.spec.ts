import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import Database from 'libsql';
import { channels, severities } from '#libs/recipient';
import { notificationStatuses } from '../event/notification.js';
import {
  operationStatuses,
  type ListEntry,
  type NotificationEntry,
  type NotificationQuery,
  type OperationQuery,
} from './entries.js';
import { idAt, placeOf } from './place.js';
import { tables } from './tables.js';

function emptyTables() {
  const database = new Database(':memory:');
  database.exec(tables.schema);
  return { database, open: tables.open(database) };
}

/** Everything that stands in the tables, without the numbers of the keys. */
function contentOf(database: Database.Database): unknown {
  return [
    'SELECT hex(place), position, recipient, category, severity, status, broadcast FROM notification ORDER BY place',
    'SELECT name, value, hex(place) FROM tag ORDER BY name, value, place',
    `SELECT hex(place), hex(operation.id), channel, status, hex(address), owner_key.id FROM operation
     LEFT JOIN owner_key ON number = owner_key ORDER BY place, operation.id`,
    'SELECT id FROM owner_key WHERE destroyed = 1 ORDER BY id',
  ].map((sql) => database.prepare(sql).raw().all([]));
}

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');
const small = fc.integer({ min: 0, max: 3 });
const addresses = [0, 1, 2].map((number) => hex(number + 1, 32));
const tagNames = ['invoice', 'order'];

/** A notification as it is through all of its versions. */
const identity = fc.record({
  number: fc.integer({ min: 0, max: 60 }),
  second: small,
  recipient: small,
  category: fc.constantFrom('billing', 'orders'),
  severity: fc.constantFrom(...severities),
  broadcastId: fc.constantFrom(null, 'broadcast-1', 'broadcast-2'),
  tags: fc.uniqueArray(fc.tuple(fc.constantFrom(...tagNames), fc.constantFrom('1', '2')), {
    selector: ([name]) => name,
    maxLength: 2,
  }),
  operations: fc.array(fc.record({ channel: fc.constantFrom(...channels), address: fc.constantFrom(...addresses) }), {
    maxLength: 3,
  }),
});
type Identity = typeof identity extends fc.Arbitrary<infer Value> ? Value : never;

const version = fc.record({ status: fc.constantFrom(...notificationStatuses), prepared: fc.boolean(), state: small });
type Version = typeof version extends fc.Arbitrary<infer Value> ? Value : never;

function entryOf(one: Identity, { status, prepared, state }: Version, position: number): NotificationEntry {
  const id = `00000000-0000-7000-8000-${hex(one.number, 12)}`;
  const recipientId = `user-${one.recipient}`;
  return {
    kind: 'notification',
    place: placeOf(new Date(Date.UTC(2026, 0, 1) + one.second * 1_000).toISOString(), id),
    position,
    recipientId,
    category: one.category,
    severity: one.severity,
    status,
    broadcastId: one.broadcastId,
    tags: one.tags,
    operations: prepared
      ? one.operations.map(({ channel, address }, index) => ({
          id: hex(one.number * 16 + index, 32),
          channel,
          status: operationStatuses[state]!,
          address: { hash: address, keyId: `key of ${recipientId}` },
        }))
      : [],
  };
}

const notifications = fc.uniqueArray(identity, { selector: ({ number }) => number, maxLength: 30 });
const history = fc
  .tuple(
    fc.uniqueArray(fc.tuple(identity, fc.array(version, { minLength: 1, maxLength: 3 })), {
      selector: ([{ number }]) => number,
      maxLength: 8,
    }),
    fc.subarray(['user-0', 'user-1', 'user-2']),
  )
  .map(([changing, erased]): ListEntry[] => [
    ...changing.flatMap(([one, versions]) => versions.map((each, index) => entryOf(one, each, index + 1))),
    ...erased.map((recipientId) => ({ kind: 'erasure', recipientId, keyIds: [`key of ${recipientId}`] }) as const),
  ]);

describe('property: any order comes to the same', () => {
  const shuffled = history.chain((entries) =>
    fc.tuple(fc.constant(entries), fc.shuffledSubarray([...entries, ...entries], { minLength: entries.length * 2 })),
  );
  test('also with entries that come again: an older one never overwrites a newer one, and an erasure is for ever', () => {
    fc.assert(
      fc.property(shuffled, ([inOrder, anyhow]) => {
        const [one, other] = [emptyTables(), emptyTables()];
        for (const entry of inOrder) one.open.put(entry);
        for (const entry of anyhow) other.open.put(entry);
        expect(contentOf(other.database)).toEqual(contentOf(one.database));
      }),
    );
  });
});

test('an erasure tells that something was removed; repeated, that there was nothing', () => {
  const { database, open } = emptyTables();
  const one = { number: 1, second: 0, recipient: 1, category: 'billing', severity: 'info', broadcastId: null } as const;
  const operations = [{ channel: 'email', address: addresses[0]! } as const];
  open.put(entryOf({ ...one, tags: [], operations }, { status: 'sent', prepared: true, state: 3 }, 1));
  const erasure = { kind: 'erasure', recipientId: 'user-1', keyIds: ['key of user-1'] } as const;
  expect([open.put(erasure), open.put(erasure)]).toEqual([true, false]);
  expect(database.prepare('SELECT address, owner_key FROM operation').get([])).toMatchObject({
    address: null,
    owner_key: null,
  });
});

const maybe = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 2 });
const bound = fc
  .option(small, { nil: null, freq: 2 })
  .map((second) => (second === null ? null : hex(Date.UTC(2026, 0, 1) + second * 1_000, 12)));
const span = { after: fc.constant(null), from: bound, to: bound };

function isWithin(place: string, { from, to }: { from: string | null; to: string | null }): boolean {
  return (from === null || place >= from) && (to === null || place < to);
}

/** Every row, in pages of so many. */
function allPages<Query extends NotificationQuery | OperationQuery>(
  open: ReturnType<typeof emptyTables>['open'],
  query: Query,
): string[] {
  const found: string[] = [];
  for (let after: string | null = null; ; after = found.at(-1)!) {
    const rows = open.answer({ ...query, after });
    found.push(...rows.map(({ place, operationId = '' }) => place + operationId));
    if (rows.length < query.limit) return found;
  }
}

describe('property: pages hold all that is asked for, newest first', () => {
  const sent = { status: 'sent', prepared: true, state: 3 } as const;

  test('notifications, by any filters', () => {
    const query = fc.record({
      kind: fc.constant('notifications' as const),
      ...span,
      limit: fc.integer({ min: 1, max: 5 }),
      recipientId: maybe(small.map((number) => `user-${number}`)),
      broadcastId: maybe(fc.constantFrom('broadcast-1', 'broadcast-2')),
      category: maybe(fc.constantFrom('billing', 'orders')),
      severity: maybe(fc.constantFrom(...severities)),
      status: maybe(fc.constantFrom('sent' as const, 'failed' as const)),
      channel: maybe(fc.constantFrom(...channels)),
      address: maybe(fc.constantFrom(...addresses)),
      tags: fc.array(fc.tuple(fc.constantFrom(...tagNames), fc.constantFrom('1', '2')), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(notifications, query, (list, asked) => {
        const { open } = emptyTables();
        const entries = list.map((one) => entryOf(one, sent, 1));
        for (const entry of entries) open.put(entry);
        const wanted = entries
          .filter((entry) => isWithin(entry.place, asked))
          .filter((entry) =>
            (['recipientId', 'broadcastId', 'category', 'severity', 'status'] as const).every(
              (name) => asked[name] === undefined || asked[name] === entry[name],
            ),
          )
          .filter(({ operations }) => !asked.channel || operations.some(({ channel }) => channel === asked.channel))
          .filter(({ operations }) => !asked.address || operations.some((one) => one.address!.hash === asked.address))
          .filter(({ tags }) =>
            asked.tags.every(([name, value]) => tags.some((tag) => tag[0] === name && tag[1] === value)),
          );
        const places = wanted
          .map(({ place }) => place)
          .sort()
          .reverse();
        expect(allPages(open, asked)).toEqual(places);
      }),
      { numRuns: 300 },
    );
  });

  test('operations', () => {
    const query = fc.record({
      kind: fc.constant('operations' as const),
      ...span,
      limit: fc.integer({ min: 1, max: 5 }),
      channel: fc.constantFrom(...channels),
      status: maybe(fc.constantFrom('succeeded' as const, 'failed' as const)),
      address: maybe(fc.constantFrom(...addresses)),
    });
    fc.assert(
      fc.property(notifications, query, (list, asked) => {
        const { open } = emptyTables();
        const entries = list.map((one) => entryOf(one, sent, 1));
        for (const entry of entries) open.put(entry);
        const wanted = entries
          .filter((entry) => isWithin(entry.place, asked))
          .flatMap(({ place, operations }) => operations.map((one) => ({ place, ...one })))
          .filter(({ channel }) => channel === asked.channel)
          .filter(({ status }) => asked.status === undefined || status === asked.status)
          .filter(({ address }) => asked.address === undefined || address!.hash === asked.address);
        expect(allPages(open, asked)).toEqual(
          wanted
            .map(({ place, id }) => place + id)
            .sort()
            .reverse(),
        );
      }),
      { numRuns: 200 },
    );
  });

  test('what is added while somebody reads on does not disturb the rest', () => {
    fc.assert(
      fc.property(notifications, fc.integer({ min: 1, max: 5 }), (list, limit) => {
        const { open } = emptyTables();
        const half = Math.floor(list.length / 2);
        for (const one of list.slice(0, half)) open.put(entryOf(one, sent, 1));
        const query = { kind: 'notifications', after: null, from: null, to: null, limit, tags: [] } as const;
        const before = allPages(open, query);
        const first = open.answer(query).map(({ place }) => place);
        for (const one of list.slice(half)) open.put(entryOf(one, sent, 1));
        const read = [...first];
        for (let rows = first; rows.length === limit; read.push(...rows)) {
          rows = open.answer({ ...query, after: read.at(-1)! }).map(({ place }) => place);
        }
        expect(new Set(read).size).toBe(read.length);
        expect(read.filter((place) => before.includes(place))).toEqual(before);
        expect([...read].sort().reverse()).toEqual(read);
      }),
    );
  });
});

test('a place gives its id back', () => {
  const id = '0197a000-1234-7abc-8def-0123456789ab';
  expect(idAt(placeOf('2026-01-31T12:00:00.123Z', id))).toBe(id);
});
