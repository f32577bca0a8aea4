import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SendEmail } from '#libs/channel/email';
import { given } from '#libs/testing';
import { sealedSample } from '#libs/testing/samples';
import type { EscalationDecided, FailuresGathered, GatheredFailure } from './contents.js';
import { escalation, type EscalationCommand, type EscalationEvent } from './escalation.js';
import { nextMail, type MailBefore } from './pace.js';
import { summarise } from './summary.js';
import { teamMail } from './team-mail.js';

const minute = 60_000;
const pauses = [minute, 5 * minute, 15 * minute, 60 * minute];
const start = Date.parse('2026-01-01T00:00:00Z');
const at = (minutes: number): string => new Date(start + minutes * minute).toISOString();

function failure(notificationId: string, more: Partial<GatheredFailure> = {}): GatheredFailure {
  return {
    notificationId,
    reason: 'unknownRecipient',
    codes: [],
    failedAt: at(0),
    notificationRevision: '1',
    ...more,
  };
}

const refused = failure('b', { reason: 'couldNotSend', codes: ['email 550'], failedAt: at(1) });
const operation: SendEmail = {
  sender: { address: 'office@example.org' },
  to: [{ address: sealedSample('address'), name: null }],
  content: { inline: sealedSample('content') },
  date: at(0),
  notAfter: at(60),
  delivery: 'atLeastOnce',
};

const gather = (operationId: string, minutes: number, upTo: bigint, ...failures: GatheredFailure[]) =>
  ({
    type: 'gather',
    operationId,
    failures,
    upTo,
    now: start + minutes * minute,
    pauses,
  }) satisfies EscalationCommand;
const tell = (operationId: string, minutes: number) =>
  ({ type: 'tell', operationId, now: start + minutes * minute, operation }) satisfies EscalationCommand;

const gathered = (
  operationId: string,
  fields: { at: number; dueAt: number; step: number; upTo: number },
  ...failures: GatheredFailure[]
): EscalationEvent => {
  const data: FailuresGathered = {
    operationId,
    dueAt: at(fields.dueAt),
    step: fields.step,
    at: at(fields.at),
    upTo: String(fields.upTo),
    failures,
  };
  return { type: 'escalation.failures-gathered.v1', data };
};
const decided = (
  operationId: string,
  fields: { at: number; step: number; pages: number; upTo: number; gatheredAt: number },
  ...failures: GatheredFailure[]
): EscalationEvent => {
  const data: EscalationDecided = {
    operationId,
    at: at(fields.at),
    step: fields.step,
    pages: fields.pages,
    upTo: String(fields.upTo),
    lastGatheredAt: at(fields.gatheredAt),
    summary: summarise(null, failures),
    operation,
  };
  return { type: 'escalation.decided.v1', data };
};

const first = gathered('m1', { at: 0, dueAt: 0, step: 0, upTo: 10 }, failure('a'));
const firstTold = decided('m1', { at: 0, step: 0, pages: 1, upTo: 10, gatheredAt: 0 }, failure('a'));
const second = gathered('m2', { at: 0.5, dueAt: 1, step: 1, upTo: 20 }, refused);
const third = gathered('m2', { at: 0.7, dueAt: 1, step: 1, upTo: 30 }, failure('c'));

describe('gathering', () => {
  test('the first failure is due at once', () => {
    given(escalation)
      .when(gather('m1', 0, 10n, failure('a')))
      .then(first);
  });
  test('the next one waits for the pause after the mail', () => {
    given(escalation, first, firstTold)
      .when(gather('m2', 0.5, 20n, refused))
      .then(second);
  });
  test('further ones go into the mail that is open, when it is due', () => {
    given(escalation, first, firstTold, second)
      .when(gather('m3', 0.7, 30n, failure('c')))
      .then(third);
  });
  test('one that comes late takes nothing back', () => {
    given(escalation, first, firstTold, second)
      .when(gather('m3', 0.7, 5n, failure('c')))
      .then(gathered('m2', { at: 0.7, dueAt: 1, step: 1, upTo: 20 }, failure('c')));
  });
  test('nothing new is nothing', () => {
    given(escalation, first)
      .when(gather('m1', 0, 10n))
      .then();
  });
});

describe('telling', () => {
  test('one mail tells all that is open', () => {
    given(escalation, first, firstTold, second, third)
      .when(tell('m2', 1))
      .then(decided('m2', { at: 1, step: 1, pages: 2, upTo: 30, gatheredAt: 0.7 }, refused, failure('c')));
  });
  test('a mail is decided once', () => {
    given(escalation, first, firstTold).when(tell('m1', 0)).then();
  });
  test('the timer of an earlier mail tells nothing', () => {
    given(escalation, first, firstTold, second).when(tell('m1', 1)).then();
  });
  test('a decision carries all of the state', () => {
    given(escalation, firstTold)
      .when(gather('m2', 0.5, 20n, refused))
      .then(second);
  });
});

describe('the pauses', () => {
  const before = (minutes: number, step: number, gatheredAt = minutes): MailBefore => ({
    at: start + minutes * minute,
    step,
    lastGatheredAt: start + gatheredAt * minute,
  });
  test.each<[string, MailBefore | null, number, { dueAt: number; step: number }]>([
    ['the first mail ever: at once', null, 0, { dueAt: 0, step: 0 }],
    ['soon after the first: a minute after it', before(0, 0), 0.5, { dueAt: 1, step: 1 }],
    ['after the pause is over: at once, and the next pause is longer', before(0, 0), 2, { dueAt: 2, step: 1 }],
    ['the longest pause repeats', before(0, 3), 10, { dueAt: 60, step: 3 }],
    ['after an hour without failures: at once, and they start again', before(0, 3), 61, { dueAt: 61, step: 0 }],
    ['quiet counts from the last failure', before(59, 3, 0), 61, { dueAt: 61, step: 0 }],
    ['two mails are never closer than the first pause', before(61, 3, 0), 61.5, { dueAt: 62, step: 0 }],
    ['fewer pauses than before the settings changed', before(0, 9), 10, { dueAt: 60, step: 3 }],
  ])('%s', (_, mailBefore, now, { dueAt, step }) => {
    expect(nextMail(pauses, mailBefore, start + now * minute)).toEqual({ dueAt: start + dueAt * minute, step });
  });

  test('whenever failures come, no hour brings more than five mails', () => {
    const seconds = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 4_000 }));
    const failures = fc.array(
      seconds.map((gap) => gap * 1_000),
      { minLength: 100, maxLength: 300 },
    );
    fc.assert(
      fc.property(failures, (gaps) => {
        const mails: MailBefore[] = [];
        let open: { dueAt: number; step: number } | null = null;
        let now = start;
        for (const gap of gaps) {
          if (open !== null && now + gap > open.dueAt) {
            mails.push({ at: open.dueAt, step: open.step, lastGatheredAt: now });
            open = null;
          }
          now += gap;
          open ??= nextMail(pauses, mails.at(-1) ?? null, now);
        }
        mails.forEach(({ at: time }, index) => {
          const fifthAfter = mails[index + 5];
          if (fifthAfter !== undefined) expect(fifthAfter.at - time).toBeGreaterThanOrEqual(60 * minute);
        });
      }),
    );
  });
});

describe('the mail', () => {
  const summary = summarise(summarise(null, [refused, failure('a', { failedAt: at(3) })]), [
    failure('c', { reason: 'couldNotSend', codes: ['email 550', 'slack <odd>'] }),
  ]);
  test('counts by reason and by what the channels said, the most frequent first', () => {
    expect(summary).toEqual({
      count: 3,
      reasons: [
        { name: 'couldNotSend', count: 2 },
        { name: 'unknownRecipient', count: 1 },
      ],
      codes: [
        { name: 'email 550', count: 2 },
        { name: 'slack <odd>', count: 1 },
      ],
      firstFailedAt: at(0),
      lastFailedAt: at(3),
      notificationIds: ['b', 'a', 'c'],
    });
  });
  test('says so', () => {
    const { subject, text, html } = teamMail(summary);
    expect(subject).toBe('3 notifications failed (couldNotSend 2, unknownRecipient 1)');
    expect(text).toBe(
      [
        `3 notifications failed. The first at ${at(0)}, the last at ${at(3)}.`,
        'By reason:\n  couldNotSend 2\n  unknownRecipient 1',
        'By what the channels said:\n  email 550 2\n  slack <odd> 1',
        'Their ids:\n  b\n  a\n  c',
        'To look at one: GET /v1/notifications/b, and GET /v1/notifications/b/events for all of its records.',
      ].join('\n\n'),
    );
    expect(html).toContain('<li>slack &lt;odd&gt; 1</li>');
  });
  test('one is no plural', () => {
    const { subject, text } = teamMail(summarise(null, [failure('a')]));
    expect(subject).toBe('1 notification failed (unknownRecipient 1)');
    expect(text).toContain(`At ${at(0)}.`);
    expect(text).not.toContain('channels');
  });
  test('names the first 20 of many', () => {
    const many = Array.from({ length: 30 }, (_, index) => failure(`n${index}`));
    const { text } = teamMail(summarise(null, many));
    expect(text).toContain('The first 20 of them:');
    expect(text).toContain('n19');
    expect(text).not.toContain('n20');
  });
});
