import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Sealed } from '#libs/vault';
import { endings, type BroadcastView, type Counts } from './broadcast-view.js';
import { Ordinals } from './ordinals.js';
import { withEnded, type MemberEnded } from './project.js';

const none: Counts = { pending: 0, sent: 0, partiallySent: 0, failed: 0, optedOut: 0, cancelled: 0, expired: 0 };

function viewOf(recipients: number): BroadcastView {
  return {
    id: '01a1fe87-53e5-7000-9340-41f3d8d785f8',
    status: 'sending',
    reason: null,
    recipients,
    counts: { ...none, pending: recipients },
    groupId: null,
    groupRevision: null,
    category: 'general',
    severity: 'info',
    subject: 'sealed.v1.key.subject.x' as Sealed,
    about: null,
    tags: {},
    requestedAt: '2026-01-01T00:00:00.000Z',
    completedAt: null,
    position: '10',
    progress: { ended: Ordinals.empty(recipients).toString(), lastAt: 0 },
  };
}

test('a set of ordinals takes each once, also after it was written and read', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.array(fc.nat(250)), (size, ordinals) => {
      const expected = new Set<number>();
      let set = Ordinals.empty(size);
      for (const ordinal of ordinals) {
        expect(set.add(ordinal)).toBe(ordinal < size && !expected.has(ordinal));
        expected.add(ordinal);
        set = Ordinals.parse(set.toString(), size);
      }
    }),
  );
});

test('each member counts once, in whatever order and however often its end comes, whenever the view is written', () => {
  const member = fc.record({
    ending: fc.constantFrom(...endings),
    at: fc.integer({ min: 1_000, max: 2_000 }),
    rank: fc.nat(),
    redeliveries: fc.array(fc.nat(), { maxLength: 2 }),
  });
  fc.assert(
    fc.property(
      fc.array(member, { minLength: 1, maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      (members, batches) => {
        const ends = members.map(({ ending, at }, ordinal): MemberEnded => ({
          broadcastId: 'any',
          ordinal,
          ending,
          at,
          position: BigInt(11 + ordinal),
        }));
        const delivered = members
          .flatMap(({ rank, redeliveries }, ordinal) => [rank, ...redeliveries].map((place) => ({ place, ordinal })))
          .sort((a, b) => a.place - b.place)
          .map(({ ordinal }) => ends[ordinal]!);

        const inOrder = withEnded(viewOf(members.length), ends);
        let view = viewOf(members.length);
        for (let from = 0, batch = 0; from < delivered.length; batch += 1) {
          const size = batches[batch % batches.length]!;
          view = withEnded(view, delivered.slice(from, from + size));
          from += size;
          expect(Object.values(view.counts).reduce((sum, count) => sum + count)).toBe(members.length);
        }
        expect(view).toEqual(inOrder);
        expect(view).toMatchObject({ status: 'completed', progress: null, counts: { pending: 0 } });
        for (const ending of endings) {
          expect(view.counts[ending]).toBe(members.filter((one) => one.ending === ending).length);
        }
      },
    ),
  );
});

test('what is new changes the view, and nothing else does', () => {
  const end: MemberEnded = { broadcastId: 'any', ordinal: 1, ending: 'sent', at: 5, position: 12n };
  const once = withEnded(viewOf(2), [end]);
  expect(once).toMatchObject({ status: 'sending', completedAt: null, counts: { pending: 1, sent: 1 }, position: '12' });
  expect(withEnded(once, [end, end])).toBe(once);
  expect(withEnded(once, [{ ...end, ordinal: 8 }])).toBe(once);
});
