import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fold, type MessageOf } from '#libs/kernel';
import { given } from '#libs/testing';
import { sealedSample } from '#libs/testing/samples';
import type { emailEvents } from './email-events.js';
import { emailReports, type ReportCommand, type ReportKind, type ReportedPlace } from './email-reports.js';

type Event = MessageOf<typeof emailEvents>;

const claimed = (attempt = 1): Event => ({ type: 'email.claimed.v1', data: { attempt, afterDoubt: false } });
const sent: Event = {
  type: 'email.sent.v1',
  data: {
    attempt: 1,
    receipt: { messageId: '<a@b>', bytes: 1, accepted: 1, rejected: 0, sandbox: false, mime: null, detail: null },
  },
};
const failed = (attempt: number): Event => ({
  type: 'email.failed.v1',
  data: { attempt, reason: 'inDoubt', failure: null },
});
const report = ({ role, index }: ReportedPlace = { role: 'to', index: 0 }) => ({
  role,
  index,
  address: sealedSample('address'),
  status: '5.1.1',
  diagnostic: null,
});
const command = (kind: ReportKind, place?: ReportedPlace): ReportCommand => ({
  type: 'report',
  kind,
  report: report(place),
});
const bounced = (attempt = 1, place?: ReportedPlace): Event => ({
  type: 'email.bounced.v1',
  data: { attempt, ...report(place) },
});
const delayed: Event = { type: 'email.delayed.v1', data: { attempt: 1, ...report() } };

describe('a report', () => {
  test('of a mail that was sent is recorded', () => {
    given(emailReports, claimed(), sent).when(command('bounced')).then(bounced());
    given(emailReports, claimed(), sent).when(command('delayed')).then(delayed);
  });
  test('of a mail that was given up in doubt is recorded: it went out, then', () => {
    given(emailReports, claimed(1), claimed(2), failed(2)).when(command('bounced')).then(bounced(2));
  });
  test('that is on record changes nothing', () => {
    given(emailReports, claimed(), sent, bounced()).when(command('bounced')).then();
    given(emailReports, claimed(), sent, delayed).when(command('delayed')).then();
  });
  test('of another kind, or about another address, is another one', () => {
    given(emailReports, claimed(), sent, delayed).when(command('bounced')).then(bounced());
    const copy = { role: 'cc', index: 0 } as const;
    given(emailReports, claimed(), sent, bounced()).when(command('bounced', copy)).then(bounced(1, copy));
  });
});

describe('is refused:', () => {
  test('a report that comes before the outcome of the mail', () => {
    given(emailReports, claimed()).when(command('bounced')).thenRefused('mail-under-way');
    given(emailReports).when(command('bounced')).thenRefused('mail-under-way');
  });
  test('a report of a mail that was never sent', () => {
    const cancelled: Event = { type: 'email.failed.v1', data: { attempt: 0, reason: 'cancelled', failure: null } };
    given(emailReports, cancelled).when(command('bounced')).thenRefused('mail-not-sent');
  });
});

test('whatever is reported in whatever order, repeated or not, each kind is recorded once for each address', () => {
  const places = fc.record({ role: fc.constantFrom('to', 'cc', 'bcc', 'unknown'), index: fc.nat(2) });
  const commands = fc.record({ kind: fc.constantFrom<ReportKind>('bounced', 'delayed'), place: places });
  fc.assert(
    fc.property(fc.array(commands), (given) => {
      const events: Event[] = [claimed(), sent];
      const decide = () => {
        for (const { kind, place } of given) {
          events.push(...emailReports.decide(fold(emailReports, events), command(kind, place)));
        }
      };
      decide();
      const once = events.length;
      decide();
      expect(events).toHaveLength(once);
      const distinct = new Set(given.map(({ kind, place: { role, index } }) => `${kind} ${role} ${index}`));
      expect(events).toHaveLength(2 + distinct.size);
    }),
  );
});
