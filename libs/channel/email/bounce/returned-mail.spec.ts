import { describe, expect, test } from '@jest/globals';
import { exchangeReport, eximReport, gmailReport, mailOf, postfixReport } from '#libs/testing/delivery-reports';
import { beginningOf } from './beginning-of.js';
import { MalformedReport, readDeliveryStatus } from './delivery-status.js';
import { readReturnedMail } from './returned-mail.js';

const given = {
  to: 'bounces+token@mail.example.org',
  recipient: 'ada@example.com',
  messageId: '<01912d68-783e-7a1b-8e10-000000000001@example.org>',
};

describe('a delivery status notification of', () => {
  test.each([
    [
      'Postfix',
      postfixReport,
      '5.1.1',
      'smtp; 550 5.1.1 <ada@example.com>: Recipient address rejected: User unknown in virtual mailbox table',
    ],
    ['Exim', eximReport, '5.0.0', 'smtp; 550 no such user here'],
    [
      'Exchange',
      exchangeReport,
      '5.1.10',
      'smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ada@example.com not found by SMTP address lookup',
    ],
    [
      'Gmail',
      gmailReport,
      '5.1.1',
      "smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for typos or 550 5.1.1 unnecessary spaces. - gsmtp",
    ],
  ])('%s is read', async (_, report, status, diagnostic) => {
    const { recipients, sentTo, originalMessageId } = await readReturnedMail(report(given));
    expect(recipients).toHaveLength(1);
    expect(recipients![0]).toMatchObject({ action: 'failed', status, diagnostic });
    expect(new Set(recipients![0]!.addresses)).toEqual(new Set([given.recipient]));
    expect(sentTo).toContain(given.to);
    expect(originalMessageId).toBe(given.messageId);
  });
});

test('what is cut short after the status is read all the same', async () => {
  const whole = postfixReport(given);
  const cut = whole.subarray(0, whole.indexOf('Content-Description: Undelivered Message'));
  expect(await readReturnedMail(cut)).toMatchObject({
    recipients: [{ action: 'failed', status: '5.1.1' }],
    originalMessageId: undefined,
  });
});

test('of a mail that is too large to keep, the beginning is kept and the rest is read', async () => {
  let read = 0;
  async function* chunks() {
    for (let count = 0; count < 40; count += 1) {
      read += 65_536;
      yield Buffer.alloc(65_536, count);
    }
  }
  expect(await beginningOf(chunks())).toHaveLength(1_048_576);
  expect(read).toBe(40 * 65_536);
});

test('an answer of a person or a machine reports nothing', async () => {
  const answer = mailOf(
    'From: ada@example.com',
    `To: ${given.to}`,
    'Subject: Out of office',
    'Auto-Submitted: auto-replied',
    '',
    'I am away. Status: 5.1.1',
  );
  expect(await readReturnedMail(answer)).toMatchObject({ recipients: null });
});

test('a report that somebody passes on reports nothing', async () => {
  const passedOn = mailOf(
    'From: postmaster@example.com',
    `To: ${given.to}`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=x',
    '',
    '--x',
    'Content-Type: message/rfc822',
    '',
    postfixReport(given).toString(),
    '--x--',
  );
  expect(await readReturnedMail(passedOn)).toMatchObject({ recipients: null });
});

test('another kind of report, such as one of spam, reports nothing', async () => {
  const complaint = mailOf(
    'Content-Type: multipart/report; report-type=feedback-report; boundary=x',
    '',
    '--x',
    'Content-Type: message/feedback-report',
    '',
    'Feedback-Type: abuse',
    '--x--',
  );
  expect(await readReturnedMail(complaint)).toMatchObject({ recipients: null });
});

describe('is refused:', () => {
  const withStatus = (...fields: string[]) =>
    mailOf(
      'Content-Type: multipart/report; report-type="delivery-status"; boundary=x',
      '',
      '--x',
      'Content-Type: message/delivery-status',
      '',
      ...fields,
      '',
      '--x--',
    );
  test.each<[string, Buffer]>([
    [
      'a report without a status',
      mailOf('Content-Type: multipart/report; report-type=delivery-status; boundary=x', '', '--x--'),
    ],
    ['a status without a recipient', withStatus('Reporting-MTA: dns; mx.example.net')],
    ['a recipient without an action', withStatus('Final-Recipient: rfc822; ada@example.com')],
    ['an action that is none', withStatus('Final-Recipient: rfc822; ada@example.com', 'Action: lost')],
    ['an action without a recipient', withStatus('Action: failed', 'Status: 5.1.1')],
    ['a recipient without an address', withStatus('Final-Recipient: rfc822;', 'Action: failed')],
    [
      'parts within parts without end',
      mailOf(...Array.from({ length: 50 }, (_, n) => `Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}`)),
    ],
  ])('%s', async (_, mail) => {
    await expect(readReturnedMail(mail)).rejects.toThrow(MalformedReport);
  });

  test('more recipients than any mail has', () => {
    const group = 'Final-Recipient: rfc822; ada@example.com\nAction: failed\n\n';
    expect(() => readDeliveryStatus(group.repeat(1_001))).toThrow(MalformedReport);
  });
});

describe('the fields of a recipient', () => {
  test('of several recipients are kept apart', () => {
    const text = [
      'Reporting-MTA: dns; mx.example.net',
      '',
      'Final-Recipient: rfc822; ada@example.com',
      'Action: failed (no such user)',
      'Status: 5.1.1 (bad mailbox)',
      '',
      'ORIGINAL-RECIPIENT: rfc822; <Bob@example.com>',
      'FINAL-RECIPIENT: rfc822; bob@host.example.net',
      'ACTION: Delayed',
      'STATUS: 4.4.1',
      '',
      'Final-Recipient: rfc822; carol@example.com',
      'Action: relayed',
    ].join('\n');
    expect(readDeliveryStatus(text)).toEqual([
      { action: 'failed', addresses: ['ada@example.com'], status: '5.1.1', diagnostic: null },
      { action: 'delayed', addresses: ['bob@host.example.net', 'Bob@example.com'], status: '4.4.1', diagnostic: null },
      { action: 'relayed', addresses: ['carol@example.com'], status: '2.0.0', diagnostic: null },
    ]);
  });
  test('without a status code have the one of their class', () => {
    const text = 'Final-Recipient: rfc822; ada@example.com\nAction: failed\nStatus: unknown\n';
    expect(readDeliveryStatus(text)).toMatchObject([{ status: '5.0.0' }]);
  });
  test('keep no more of what the server said than has room', () => {
    const text = `Final-Recipient: rfc822; ada@example.com\nAction: failed\nDiagnostic-Code: smtp; ${'x'.repeat(5_000)}`;
    expect(readDeliveryStatus(text)[0]!.diagnostic).toHaveLength(1_000);
  });
});
