import { describe, expect, test } from '@jest/globals';
import { bothOf, isTerminalType, mailOf, only, slackOf, useWorld, World } from './support/index.js';

const world = useWorld({ useDirectory: true });

const optedOut = (channel: 'email' | 'slack') => ({ channel, optedOut: true });
const refusal = { httpStatus: 400 };

/** No saga, and no operation of a channel. */
async function expectNothingEnqueued(id: string): Promise<void> {
  const streams = (await world.api.events(id)).map(({ stream }) => stream);
  expect(
    streams.filter((stream) => /^(notification\.saga|\w+\.operation|email\.event|slack\.event)-/.test(stream)),
  ).toEqual([]);
}

test('10. All opted out: the notification says so, without a saga and without operations', async () => {
  world.directory.knows('hermit', { channels: { channels: [optedOut('email'), optedOut('slack')] } });
  const id = await world.api.notify('hermit');
  expect(await world.api.finalView(id)).toMatchObject({
    status: 'optedOut',
    channels: { email: { status: 'optedOut', operations: [] }, slack: { status: 'optedOut', operations: [] } },
  });
  expect(await world.typesOf(id)).toEqual([
    'notification.send.v1',
    'notification.requested.v1',
    'notification.opted-out.v1',
  ]);
  await expectNothingEnqueued(id);
});

test('11. One channel opted out, the other prepared: prepared on all', async () => {
  world.directory.knows('mailer', { channels: { channels: [bothOf('mailer')[0], optedOut('slack')] } });
  const id = await world.api.notify('mailer');
  expect(await world.api.finalView(id)).toMatchObject({
    status: 'sent',
    reason: null,
    channels: { email: { status: 'sent' }, slack: { status: 'optedOut', operations: [] } },
  });
  expect(only(await world.api.events(id), 'notification.sent.v1').data).toMatchObject({
    outcomes: [{ channel: 'email', status: 'succeeded' }],
  });
  expect(world.messagesTo('mailer')).toEqual([]);
});

describe('12. A channel that cannot be prepared', () => {
  test('12. continue: the others are sent, and it is on record that it was not', async () => {
    world.directory.knows('half', { prepare: { slack: refusal } });
    const id = await world.api.notify('half');
    const failures = [expect.stringContaining('HTTP 400')];
    expect(await world.api.finalView(id)).toMatchObject({
      status: 'sent',
      channels: { email: { status: 'sent' }, slack: { status: 'couldNotPrepare', failures, operations: [] } },
    });
    expect(only(await world.api.events(id), 'notification.prepared.v1').data).toMatchObject({
      channels: [
        { channel: 'email', outcome: 'prepared' },
        { channel: 'slack', outcome: 'couldNotPrepare', failures },
      ],
      operations: [{ channel: 'email' }],
    });
    expect(world.mailsTo('half')).toHaveLength(1);
  });

  test('12. stop: nothing is enqueued on any, and the reason is told', async () => {
    const strict = new World({ useDirectory: true, settings: { TIDINGS_ON_CHANNEL_FAILURE: 'stop' } });
    try {
      await strict.open();
      await strict.start();
      strict.directory.knows('half', { prepare: { slack: refusal } });
      const id = await strict.api.notify('half');
      expect(await strict.api.finalView(id)).toMatchObject({
        status: 'failed',
        reason: 'couldNotPrepare',
        channels: {
          email: { status: 'discarded', operations: [] },
          slack: { status: 'couldNotPrepare', failures: [expect.stringContaining('HTTP 400')] },
        },
      });
      expect(await strict.typesOf(id)).toEqual([
        'notification.send.v1',
        'notification.requested.v1',
        'notification.failed.v1',
      ]);
      await strict.idle();
      expect(strict.smtp.mails).toEqual([]);
      expect(strict.slack.calls).toEqual([]);
    } finally {
      await strict.close();
    }
  });
});

describe('13. Instructions that come with failures', () => {
  const prepared = { operations: [{ type: 'SendEmail' }], failures: ['no letterhead'] };

  test('13. to be ignored: they are sent, and the failures are on record', async () => {
    world.directory.knows('ignorer', { prepare: { email: { ...prepared, ifFailed: 'proceed' } } });
    expect(await world.api.finalView(await world.api.notify('ignorer'))).toMatchObject({
      status: 'sent',
      channels: { email: { status: 'sent', failures: ['no letterhead'] }, slack: { status: 'sent' } },
    });
    expect(world.mailsTo('ignorer')).toHaveLength(1);
  });

  test('13. that stop: they are not sent, the other channel is', async () => {
    world.directory.knows('heeder', { prepare: { email: { ...prepared, ifFailed: 'stop' } } });
    expect(await world.api.finalView(await world.api.notify('heeder'))).toMatchObject({
      channels: {
        email: { status: 'couldNotPrepare', failures: ['no letterhead'], operations: [] },
        slack: { status: 'sent' },
      },
    });
    expect(world.mailsTo('heeder')).toEqual([]);
    expect(world.messagesTo('heeder')).toHaveLength(1);
  });

  test.each(['email', 'slack'] as const)('13. a throw on one channel is that channel’s alone: %s', async (broken) => {
    const recipientId = `thrower${broken}`;
    world.directory.knows(recipientId, { prepare: { [broken]: null } });
    const { channels } = await world.api.finalView(await world.api.notify(recipientId));
    const whole = broken === 'email' ? 'slack' : 'email';
    expect(channels[broken]).toMatchObject({ status: 'couldNotPrepare', failures: [expect.any(String)] });
    expect(channels[whole]).toMatchObject({ status: 'sent' });
    expect(channels[whole]).not.toHaveProperty('failures');
  });

  test('13. all channels fail: could not prepare on any', async () => {
    world.directory.knows('unlucky', { prepare: { email: refusal, slack: refusal } });
    const id = await world.api.notify('unlucky');
    expect(await world.api.finalView(id)).toMatchObject({ status: 'failed', reason: 'couldNotPrepare' });
    await expectNothingEnqueued(id);
  });
});

test('14. Several operations per channel go out in order, each with its own id, and lead to the tags', async () => {
  const attachments = ['a.txt', 'b.txt'].map((fileName) => ({
    fileName,
    mediaType: 'text/plain',
    content: Buffer.from(`bytes of ${fileName}`).toString('base64'),
  }));
  const slack = [
    { type: 'SendSlackMessage' },
    ...[1, 0].map((attachment) => ({ type: 'UploadFileToSlack', attachment })),
  ];
  const mail = [{ type: 'SendEmail' }, { type: 'SendEmail', to: mailOf('second') }];
  world.directory.knows('many', { prepare: { email: { operations: mail }, slack: { operations: slack } } });
  const tags = { invoice: '7' };
  const id = await world.api.notify('many', { content: { subject: 'Invoice', text: 'Pay', attachments }, tags });
  const view = await world.api.finalView(id);
  expect(view).toMatchObject({ status: 'sent', tags });

  const operations = Object.values(view.channels).flatMap((channel) => channel.operations);
  expect(operations.map(({ type, to }) => `${type} ${to}`)).toEqual([
    `SendEmail ${mailOf('many')}`,
    `SendEmail ${mailOf('second')}`,
    `SendSlackMessage ${slackOf('many')}`,
    `UploadFileToSlack ${slackOf('many')}`,
    `UploadFileToSlack ${slackOf('many')}`,
  ]);
  const ids = operations.map((operation) => operation.id);
  expect(new Set(ids).size).toBe(5);

  const events = await world.api.events(id);
  const enqueued = events.filter(({ stream }) => /^\w+\.operation-/.test(stream));
  expect(enqueued.map(({ stream }) => stream)).toEqual([
    ...ids.slice(0, 2).map((key) => `email.operation-${key}`),
    ...ids.slice(2).map((key) => `slack.operation-${key}`),
  ]);
  for (const { metadata } of enqueued) expect(metadata).toMatchObject({ $correlationId: id });
  expect(only(events, 'notification.requested.v1').data).toMatchObject({ tags });
  expect(events.filter(({ type }) => isTerminalType(type))).toHaveLength(1);

  expect(world.slack.calls.findIndex(({ method }) => method === 'upload')).toBeGreaterThan(
    world.slack.calls.findIndex(({ arguments: { channel } }) => channel === slackOf('many')),
  );
  expect(world.slack.files.map(({ fileName, content }) => `${fileName}: ${content.toString()}`)).toEqual([
    'b.txt: bytes of b.txt',
    'a.txt: bytes of a.txt',
  ]);
  expect([...world.mailsTo('many'), ...world.mailsTo('second')]).toHaveLength(2);
});
