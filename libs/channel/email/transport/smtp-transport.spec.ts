import { afterEach, describe, expect, test } from '@jest/globals';
import type { Socket } from 'node:net';
import { BareSmtpServer, SmtpDouble, type SmtpDoubleOptions } from '#libs/testing';
import { messageIdFor, type EmailMessage } from './email-message.js';
import type { EmailFailure } from './email-transport.js';
import type { SmtpSettings } from './smtp-settings.js';
import { SmtpTransport } from './smtp-transport.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function transportTo(url: string, settings: Partial<SmtpSettings> = {}): SmtpTransport {
  const transport = new SmtpTransport({ url, ...settings });
  closing.push(() => transport.close());
  return transport;
}

async function started(options: SmtpDoubleOptions = {}, settings: Partial<SmtpSettings> = {}) {
  const smtp = await SmtpDouble.start(options);
  closing.push(() => smtp.close());
  return { smtp, transport: transportTo(smtp.url, { ca: smtp.ca, ...settings }) };
}

let operation = 0;
function mail(change: Partial<EmailMessage> = {}): EmailMessage {
  return {
    from: { address: 'office@example.org', name: 'Office' },
    to: [{ address: 'ann@example.org' }],
    subject: 'Hello',
    text: 'Hello Ann',
    messageId: messageIdFor(`operation-${++operation}`, 'example.org'),
    date: 0,
    ...change,
  };
}

async function failureOf(sending: Promise<unknown>): Promise<EmailFailure> {
  const failure: unknown = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(failure).toMatchObject({ name: 'EmailFailure' });
  return failure as EmailFailure;
}

describe('a mail', () => {
  test('arrives with everybody and everything', async () => {
    const { smtp, transport } = await started();
    const image = Buffer.from(Array.from({ length: 5_000 }, (_, index) => index % 256));
    const receipt = await transport.send(
      mail({
        to: [{ address: 'ann@example.org', name: 'Änn, "the" Boss' }, { address: 'bob@bücher.example' }],
        cc: [{ address: 'cc@example.org' }],
        bcc: [{ address: 'bcc@example.org' }],
        replyTo: [{ address: 'help@example.org', name: 'Help' }],
        subject: 'Grüße 🎉',
        text: '.dot\n..dots\nGrüße',
        html: '<p>Grüße</p><img src="cid:logo">',
        attachments: [
          { fileName: 'Straße.pdf', mediaType: 'application/pdf', content: image },
          { fileName: 'logo.png', mediaType: 'image/png', content: image.subarray(7), contentId: 'logo' },
        ],
      }),
    );
    const [{ envelope, parsed, raw }] = (await smtp.received(1)) as [(typeof smtp.mails)[number]];
    const everybody = ['ann@example.org', 'bob@xn--bcher-kva.example', 'cc@example.org', 'bcc@example.org'];
    expect(receipt.accepted).toEqual(everybody);
    expect(envelope.from).toBe('office@example.org');
    expect(envelope.to.map((address) => address.replace('bücher', 'xn--bcher-kva'))).toEqual(everybody);
    expect(receipt).toMatchObject({ rejected: [], response: '250 2.0.0 taken', bytes: raw.length });
    expect(parsed).toMatchObject({
      from: { address: 'office@example.org', name: 'Office' },
      to: [{ address: 'ann@example.org', name: 'Änn, "the" Boss' }, { address: 'bob@xn--bcher-kva.example' }],
      cc: [{ address: 'cc@example.org' }],
      replyTo: [{ address: 'help@example.org', name: 'Help' }],
      subject: 'Grüße 🎉',
    });
    expect(parsed.text?.replaceAll('\r\n', '\n')).toContain('.dot\n..dots\nGrüße');
    expect(parsed.html).toContain('<p>Grüße</p><img src="cid:logo">');
    expect(raw.toString()).not.toContain('bcc@example.org');
    const files = Object.fromEntries(
      parsed.attachments.map(({ filename, content }) => [filename, Buffer.from(content as ArrayBuffer)]),
    );
    expect(files).toEqual({ 'Straße.pdf': image, 'logo.png': image.subarray(7) });
  });

  test('of plain lines survives dot-stuffing', async () => {
    const { smtp, transport } = await started();
    await transport.send(mail({ text: '.\n..\n.dot\n\n.' }));
    const [received] = await smtp.received(1);
    expect(received!.raw.toString()).toMatch(/\r\n\r\n\.\r\n\.\.\r\n\.dot\r\n\r\n\.\r\n$/);
  });

  test('keeps its Message-ID at every attempt', async () => {
    const { smtp, transport } = await started();
    const message = mail({ priority: 'high' });
    await transport.send(message);
    await transport.send(message);
    expect(smtp.countOf(message.messageId)).toBe(2);
    expect(smtp.mails[0]!.raw).toEqual(smtp.mails[1]!.raw);
    expect(smtp.mails[0]!.raw.toString()).toContain('X-Priority: 1 (Highest)\r\n');
  });

  test('asks for a delivery status when told to', async () => {
    const { smtp, transport } = await started();
    await transport.send(mail());
    await transport.send(mail({ deliveryStatus: true }));
    const [without, withRequest] = await smtp.received(2);
    expect(without!.envelope).toMatchObject({ dsnReturn: undefined, dsnNotify: [] });
    expect(withRequest!.envelope).toMatchObject({ dsnReturn: 'HDRS', dsnNotify: ['SUCCESS', 'FAILURE', 'DELAY'] });
  });

  test('comes back to its return path where it has one, and then with its headers only', async () => {
    const { smtp, transport } = await started();
    const message = mail();
    await transport.send(message);
    await transport.send({ ...message, returnPath: 'bounces+token@mail.example.org' });
    const [without, withPath] = await smtp.received(2);
    expect(without!.envelope.from).toBe(message.from.address);
    expect(withPath!.envelope).toMatchObject({
      from: 'bounces+token@mail.example.org',
      dsnReturn: 'HDRS',
      dsnNotify: ['FAILURE', 'DELAY'],
    });
    expect(withPath!.raw).toEqual(without!.raw);
  });

  test('that is not valid reaches no server', async () => {
    const { smtp, transport } = await started();
    expect(await failureOf(transport.send(mail({ to: [] })))).toMatchObject({ stage: 'participants' });
    expect(await failureOf(transport.send(mail({ subject: '\n' })))).toMatchObject({ stage: 'content' });
    expect(smtp.connections).toBe(0);
  });

  test('comes with the conversation, without the mail itself', async () => {
    const { transport } = await started();
    const { conversation } = await transport.send(mail({ text: 'for your eyes only' }));
    expect(conversation).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^S: 220 /),
        expect.stringMatching(/^C: EHLO /),
        'C: STARTTLS',
        expect.stringMatching(/^C: MAIL FROM:<office@example.org>/),
        'C: RCPT TO:<ann@example.org>',
        'C: DATA',
        expect.stringMatching(/^C: \[mail of \d+ bytes\]$/),
        'S: 250 2.0.0 taken',
      ]),
    );
    expect(conversation.join()).not.toContain('eyes');
  });
});

describe('TLS and login', () => {
  const credentials = { user: 'tidings', password: 'h0rse&battery%staple' };

  test.each([
    ['starttls', true],
    ['tls', true],
    ['plain', false],
  ] as const)('%s', async (security, secure) => {
    const { smtp, transport } = await started({ security });
    await transport.send(mail());
    expect(smtp.mails[0]!.secure).toBe(secure);
  });

  test.each(['starttls', 'tls'] as const)('login over %s', async (security) => {
    const { smtp, transport } = await started({ security, credentials });
    const { conversation } = await transport.send(mail());
    expect(smtp.mails[0]).toMatchObject({ user: credentials.user, secure: true });
    expect(conversation.join('\n')).toContain('C: AUTH PLAIN [redacted]');
    expectNoSecret(conversation.join('\n'));
  });

  test('wrong credentials are refused for good and shown nowhere', async () => {
    const { smtp } = await started({ credentials: { ...credentials, password: 'other' } });
    const url = smtp.url.replace(':other@', `:${encodeURIComponent(credentials.password)}@`);
    const failure = await failureOf(transportTo(url, { ca: smtp.ca }).send(mail()));
    expect(failure).toMatchObject({ stage: 'authenticate', kind: 'permanent', code: 535, enhancedCode: '5.7.8' });
    expect(failure.message).toContain('[redacted] is not the password');
    expectNoSecret(`${failure.message} ${failure.stack ?? ''} ${failure.conversation.join('\n')}`);
  });

  test('credentials never go over an open connection', async () => {
    const { smtp, transport } = await started({ security: 'plain', credentials });
    const failure = await failureOf(transport.send(mail()));
    expect(failure).toMatchObject({
      stage: 'connect',
      kind: 'permanent',
      message: expect.stringContaining('TLS only'),
    });
    expect(failure.conversation.join('\n')).not.toContain('C: AUTH');
    expect(smtp.mails).toEqual([]);
  });

  test('credentials for a server without login fail for good', async () => {
    const { smtp } = await started();
    const failure = await failureOf(transportTo(smtp.url.replace('//', '//u:p@'), { ca: smtp.ca }).send(mail()));
    expect(failure).toMatchObject({ stage: 'authenticate', kind: 'permanent' });
  });

  test.each(['starttls', 'tls'] as const)(
    'a certificate that is not trusted fails for good over %s',
    async (security) => {
      const { smtp, transport } = await started({ security }, { ca: undefined });
      expect(await failureOf(transport.send(mail()))).toMatchObject({ stage: 'connect', kind: 'permanent' });
      expect(smtp.mails).toEqual([]);
    },
  );

  test('a broken TLS handshake may work later', async () => {
    const { smtp } = await started({ security: 'plain' });
    const failure = await failureOf(transportTo(smtp.url.replace('smtp:', 'smtps:')).send(mail()));
    expect(failure).toMatchObject({ stage: 'connect', kind: 'transient', doubtful: false });
  });

  function expectNoSecret(text: string): void {
    const { user, password } = credentials;
    expect(text).not.toContain(password);
    expect(text).not.toContain(Buffer.from(password).toString('base64'));
    expect(text).not.toContain(Buffer.from(`\0${user}\0${password}`).toString('base64'));
  }
});

describe('a refusal', () => {
  test.each([
    ['data', '451 4.3.0 try later', 'transient', 451, '4.3.0'],
    ['data', '550 5.7.1 we do not want it', 'permanent', 550, '5.7.1'],
    ['data', '421 4.3.2 shutting down', 'transient', 421, '4.3.2'],
    ['recipient', '450 4.2.1 greylisted', 'transient', 450, '4.2.1'],
    ['recipient', '550 5.1.1 no such user', 'permanent', 550, '5.1.1'],
  ] as const)('at %s with %s is %s', async (at, reply, kind, code, enhancedCode) => {
    const { smtp, transport } = await started();
    smtp.behave({ at, reply });
    const failure = await failureOf(transport.send(mail()));
    expect(failure).toMatchObject({ stage: 'send', kind, code, enhancedCode, doubtful: false });
    expect(failure.conversation).toContain(`S: ${reply}`);
    expect(smtp.mails).toEqual([]);
  });

  test.each([
    ['554 5.3.2 not today', 'permanent'],
    ['421 4.3.2 too busy', 'transient'],
  ] as const)('as greeting with %s is %s', async (reply, kind) => {
    const { smtp, transport } = await started();
    smtp.behave({ at: 'connection', reply });
    expect(await failureOf(transport.send(mail()))).toMatchObject({
      stage: 'connect',
      kind,
      code: Number(reply.slice(0, 3)),
    });
  });

  test('twice, then the mail goes through, all over one connection', async () => {
    const { smtp, transport } = await started();
    smtp.behave({ at: 'data', reply: '451 4.3.0 try later', times: 2 });
    const message = mail();
    await failureOf(transport.send(message));
    await failureOf(transport.send(message));
    await transport.send(message);
    expect(smtp.countOf(message.messageId)).toBe(1);
    expect(smtp.connections).toBe(1);
  });

  test('of one recipient leaves the others', async () => {
    const { smtp, transport } = await started();
    smtp.behave({ at: 'recipient', recipient: 'bob@example.org', reply: '550 5.1.1 no such user' });
    const receipt = await transport.send(mail({ cc: [{ address: 'bob@example.org' }] }));
    expect(receipt.accepted).toEqual(['ann@example.org']);
    expect(receipt.rejected).toEqual([{ address: 'bob@example.org', code: 550, response: '550 5.1.1 no such user' }]);
    expect(smtp.mails[0]!.envelope.to).toEqual(['ann@example.org']);
  });

  test('of every recipient is transient while one may be taken later', async () => {
    const { smtp, transport } = await started();
    smtp.behave({ at: 'recipient', recipient: 'ann@example.org', reply: '450 4.2.1 greylisted' });
    smtp.behave({ at: 'recipient', recipient: 'bob@example.org', reply: '550 5.1.1 no such user' });
    const failure = await failureOf(transport.send(mail({ cc: [{ address: 'bob@example.org' }] })));
    expect(failure).toMatchObject({ kind: 'transient', code: 450 });
  });

  test('by the caller, at the last moment, keeps the mail from going out', async () => {
    const { smtp, transport } = await started();
    let checks = 0;
    const lastCheck = () => {
      checks += 1;
      if (checks === 2) throw new Error('not any more');
    };
    await transport.send(mail(), undefined, lastCheck);
    const failure = await failureOf(transport.send(mail(), undefined, lastCheck));
    expect(failure).toMatchObject({ stage: 'send', kind: 'transient', doubtful: false, message: 'not any more' });
    expect(failure.conversation).toContain('C: DATA');
    expect([checks, smtp.mails.length]).toEqual([2, 1]);
  });

  test('of too large a mail is permanent', async () => {
    const { transport } = await started({ maxBytes: 1_000 });
    const failure = await failureOf(transport.send(mail({ text: 'x\n'.repeat(1_000) })));
    expect(failure).toMatchObject({ stage: 'send', kind: 'permanent', doubtful: false });
  });
});

describe('a connection', () => {
  test('that nobody answers may work later', async () => {
    const { smtp, transport } = await started();
    await smtp.refuseConnections();
    expect(await failureOf(transport.send(mail()))).toMatchObject({
      stage: 'connect',
      kind: 'transient',
      doubtful: false,
    });
    await smtp.acceptConnections();
    await transport.send(mail());
    expect(smtp.mails).toHaveLength(1);
  });

  test('to a name that is not found may work later', async () => {
    const transport = transportTo('smtp://nowhere.invalid:25', { connectionTimeout: 2_000 });
    expect(await failureOf(transport.send(mail()))).toMatchObject({ stage: 'connect', kind: 'transient' });
  });

  test('without greeting ends by timeout', async () => {
    const { smtp, transport } = await started({}, { greetingTimeout: 50 });
    smtp.behave({ at: 'connection', wait: new Promise(() => {}) });
    expect(await failureOf(transport.send(mail()))).toMatchObject({ stage: 'connect', kind: 'transient' });
  });

  test('whose reply has no end is broken off', async () => {
    const url = await bareServer((socket) => {
      const line = Buffer.from(`250-${'x'.repeat(60_000)}\r\n`);
      const more = (): void => {
        while (!socket.destroyed && socket.write(line));
      };
      socket.on('drain', more);
      more();
    });
    const failure = await failureOf(transportTo(url).send(mail()));
    expect(failure).toMatchObject({ kind: 'transient', doubtful: false });
    expect(failure.message).toMatch(/too (?:large|long)|exceed/i);
  });

  test.each(['connection', 'recipient'] as const)('dropped at %s leaves no doubt', async (at) => {
    const { smtp, transport } = await started();
    smtp.behave({ at, drop: 'beforeReply' });
    expect(await failureOf(transport.send(mail()))).toMatchObject({
      stage: at === 'connection' ? 'connect' : 'send',
      kind: 'transient',
      doubtful: false,
    });
  });

  test('dropped before the final reply leaves doubt and is not repeated', async () => {
    const { smtp, transport } = await started();
    await transport.send(mail());
    smtp.behave({ at: 'data', drop: 'beforeReply' });
    const message = mail();
    expect(await failureOf(transport.send(message))).toMatchObject({
      stage: 'send',
      kind: 'transient',
      doubtful: true,
    });
    expect(smtp.countOf(message.messageId)).toBe(1);
  });

  test('silent after the final dot leaves doubt', async () => {
    const { smtp, transport } = await started({}, { socketTimeout: 200 });
    smtp.behave({ at: 'data', wait: new Promise(() => {}) });
    expect(await failureOf(transport.send(mail()))).toMatchObject({ stage: 'send', kind: 'transient', doubtful: true });
  });

  test('dropped after the reply does not matter, also not to the next mail', async () => {
    const { smtp, transport } = await started();
    smtp.behave({ at: 'data', drop: 'afterReply', times: 1 });
    await transport.send(mail());
    await transport.send(mail());
    expect(smtp.mails).toHaveLength(2);
    expect(smtp.connections).toBe(2);
  });

  test('broken in the middle of a large mail leaves no doubt', async () => {
    const server = await bareServer((socket, line) => {
      if (line.startsWith('EHLO')) socket.write('250 bare\r\n');
      else if (line.startsWith('MAIL') || line.startsWith('RCPT')) socket.write('250 ok\r\n');
      else if (line === 'DATA') {
        socket.write('354 go\r\n');
        socket.pause();
        setImmediate(() => socket.resetAndDestroy());
      }
    });
    const failure = await failureOf(transportTo(server).send(mail({ html: 'ä'.repeat(20_000_000) })));
    expect(failure).toMatchObject({ stage: 'send', kind: 'transient', doubtful: false });
  });

  test('that says 421 to the next mail is replaced', async () => {
    let mails = 0;
    const server = await bareServer((socket, line) => {
      if (line.startsWith('MAIL') && mails++ === 1) socket.end('421 4.4.2 idle for too long\r\n');
      else if (line === 'DATA') socket.write('354 go\r\n');
      else if (line === '.' || /^(?:EHLO|MAIL|RCPT)/.test(line)) socket.write('250 ok\r\n');
    });
    const transport = transportTo(server);
    await transport.send(mail());
    expect((await transport.send(mail())).response).toBe('250 ok');
    expect(mails).toBe(3);
  });

  test('serves one mail after the other; several serve at once, up to the limit', async () => {
    const { smtp, transport } = await started({}, { maxConnections: 3 });
    for (let count = 0; count < 5; count++) await transport.send(mail());
    expect(smtp.connections).toBe(1);
    await Promise.all(Array.from({ length: 30 }, () => transport.send(mail())));
    expect(smtp.mails).toHaveLength(35);
    expect(smtp.connections).toBe(3);
  });

  test('is replaced after so many mails, or when it was idle for too long', async () => {
    const { smtp, transport } = await started({}, { maxMessages: 2, idleTimeout: 60_000 });
    for (let count = 0; count < 5; count++) await transport.send(mail());
    expect(smtp.connections).toBe(3);
    const impatient = transportTo(smtp.url, { ca: smtp.ca, idleTimeout: 1 });
    await impatient.send(mail());
    await until(() => smtp.openConnections === 1);
    await impatient.send(mail());
    expect(smtp.connections).toBe(5);
  });
});

describe('an abort', () => {
  test('before the final dot leaves no doubt, after it does', async () => {
    const { smtp, transport } = await started();
    for (const [at, doubtful] of [
      ['recipient', false],
      ['data', true],
    ] as const) {
      const abort = new AbortController();
      smtp.behave({ at, times: 1, wait: { then: () => abort.abort(new Error('enough')) } as PromiseLike<unknown> });
      expect(await failureOf(transport.send(mail(), abort.signal))).toMatchObject({
        kind: 'transient',
        doubtful,
        message: 'aborted: Error: enough',
      });
    }
    await transport.send(mail());
    expect(smtp.mails).toHaveLength(1);
  });

  test('ends the wait for a connection', async () => {
    const { smtp, transport } = await started({}, { maxConnections: 1 });
    let release = (): void => {};
    smtp.behave({ at: 'data', times: 1, wait: new Promise<void>((resolve) => (release = resolve)) });
    const first = transport.send(mail());
    const abort = new AbortController();
    const second = failureOf(transport.send(mail(), abort.signal));
    abort.abort();
    expect(await second).toMatchObject({ stage: 'connect', kind: 'transient', doubtful: false });
    expect(await failureOf(transport.send(mail(), abort.signal))).toMatchObject({ stage: 'connect' });
    release();
    await first;
    expect(smtp.mails).toHaveLength(1);
  });
});

test('close lets the mails under way finish and takes no more', async () => {
  const { smtp, transport } = await started({}, { maxConnections: 1 });
  const sending = [transport.send(mail()), transport.send(mail())];
  const closed = transport.close();
  expect(await failureOf(transport.send(mail()))).toMatchObject({ stage: 'connect', kind: 'transient' });
  await closed;
  await Promise.all(sending);
  expect(smtp.mails).toHaveLength(2);
  await until(() => smtp.openConnections === 0);
});

test('the hook of the double runs around the reply', async () => {
  const { smtp, transport } = await started();
  const moments: string[] = [];
  smtp.onReply = (moment, { parsed }) => moments.push(`${moment} ${parsed.subject ?? ''}`);
  await transport.send(mail());
  expect(moments).toEqual(['before Hello', 'after Hello']);
});

async function bareServer(onLine: (socket: Socket, line: string) => void): Promise<string> {
  const server = await BareSmtpServer.start(onLine);
  closing.push(() => server.close());
  return server.url;
}

/** Waits until the condition holds; the test's own timeout ends it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}
