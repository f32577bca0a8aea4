import { readFileSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { NotificationFlow } from '#libs/testing/flow';
import type { NotificationPrepared, StepName } from '../event/contents.js';
import { accept } from '../http/accept.js';
import type { PostToOneDto } from '../http/post-notification.dto.js';
import { NotificationQueries } from '../http/queries.js';
import { sendBot } from '../handlers/send.bot.js';
import type { NotificationView } from '../view/notification-view.js';
import { directorySteps } from './http-directory.js';

/** The JSON of docs/directory.md, in order. */
const [askAudience, audience, askChannels, channels, askPrepare, prepareSlack, prepareMail, withFailures] = (
  readFileSync(new URL('../../../../docs/directory.md', import.meta.url), 'utf8').match(/(?<=```json\n).*?(?=```)/gs) ??
  []
).map((example) => JSON.parse(example) as Record<string, unknown>);

/** A body, or a status, or what is no JSON. */
type Answer = object | 'silence';

/** A directory: answers what it is told to, and remembers what it was asked. */
class DirectoryDouble {
  readonly asked: {
    readonly step: string;
    readonly body: Record<string, unknown>;
    readonly headers: IncomingHttpHeaders;
  }[] = [];
  readonly answers: Record<StepName, (channel: unknown) => Answer> = {
    audience: () => audience!,
    channels: () => channels!,
    prepare: (channel) => (channel === 'slack' ? prepareSlack! : prepareMail!),
  };
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => void this.take(request, response));
  }

  static async start(): Promise<DirectoryDouble> {
    const double = new DirectoryDouble();
    await new Promise<void>((resolve) => double.server.listen(0, '127.0.0.1', resolve));
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/tidings`;
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const step = request.url!.slice('/tidings/'.length);
    const body = JSON.parse(await text(request)) as Record<string, unknown>;
    this.asked.push({ step, body, headers: request.headers });
    const answer = this.answers[step as StepName](body['channel']);
    if (answer === 'silence') return;
    if ('status' in answer) response.statusCode = answer.status as number;
    if ('location' in answer) response.setHeader('location', answer.location as string);
    response.end('raw' in answer ? answer.raw : JSON.stringify(answer));
  }

  steps(): string[] {
    return this.asked.map(({ step }) => step);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const dto: PostToOneDto = {
  recipientId: 'user-42',
  category: 'billing',
  content: {
    subject: 'Invoice 7',
    text: 'Please pay.',
    attachments: [
      { fileName: 'invoice.pdf', mediaType: 'application/pdf', content: Buffer.from('nine byte').toString('base64') },
    ],
  },
  about: { entityType: 'invoice', entityId: '7' },
  tags: { invoice: '7' },
};

let flow: NotificationFlow;
let directory: DirectoryDouble;
let queries: NotificationQueries;
beforeEach(async () => {
  [flow, directory] = await Promise.all([NotificationFlow.open(), DirectoryDouble.start()]);
  queries = new NotificationQueries({ ...flow.services, client: flow.client });
  use({ token: 'secret-token' });
});
afterEach(async () => {
  queries.stopWaiting();
  await Promise.all([flow.close(), directory.close()]);
});

function use(settings: { readonly url?: string; readonly token?: string; readonly timeout?: number }): void {
  const all = { url: directory.url, timeout: 5_000, delays: [1, 1], ...settings };
  flow.services.steps = directorySteps(all, flow.services);
}

async function post(more: Partial<PostToOneDto> = {}): Promise<string> {
  const request = { caller: 'anybody', idempotencyKey: undefined, traceparent: undefined, now: flow.now() };
  return (await accept({ ...flow.services, client: flow.client }, { ...dto, ...more }, request)).id;
}

async function notify(more: Partial<PostToOneDto> = {}): Promise<NotificationView> {
  const id = await post(more);
  await flow.drive();
  return (await queries.view(id, 0))!;
}

describe('the page', () => {
  test('its requests are what the directory is asked, and its answers are taken', async () => {
    const view = await notify();
    const { id: notificationId } = view;
    expect(directory.asked.map(({ body }) => body)).toEqual([
      { ...askAudience, notificationId },
      { ...askChannels, notificationId },
      { ...askPrepare, notificationId },
      { ...askPrepare, notificationId, channel: 'email', to: 'ada@example.com' },
    ]);
    expect(view).toMatchObject({
      status: 'sent',
      decision: {
        recipientRevision: null,
        preference: null,
        steps: ['audience', 'channels', 'prepare'].map((step) => ({ step, source: 'directory', failures: [] })),
      },
    });
    expect(Object.keys(view.channels)).toEqual(['slack', 'email']);
    expect(flow.services.slackTransport.sent).toMatchObject([
      { channel: 'C024BE91L', text: '*Invoice 7*: please pay.' },
      { channel: 'C024BE91L', fileName: 'invoice.pdf' },
    ]);
    expect(flow.services.transport.sent).toMatchObject([
      {
        to: [{ address: 'ada@example.com', name: 'Ada' }],
        text: 'Dear Ada, please pay.',
        attachments: [{ fileName: 'invoice.pdf' }],
      },
    ]);
  });
  test('failures that are to be ignored are told', async () => {
    directory.answers.audience = () => withFailures!;
    expect(await notify()).toMatchObject({
      status: 'sent',
      decision: { steps: [{ step: 'audience', failures: ['the payroll system did not answer'] }, {}, {}] },
    });
  });
});

test('the token goes in the header, and nowhere else', async () => {
  await notify();
  expect(directory.asked.map(({ headers }) => headers.authorization)).toEqual(Array(4).fill('Bearer secret-token'));
  expect(JSON.stringify([directory.asked.map(({ body }) => body), await flow.stored()])).not.toContain('secret-token');
});

test('without a token it is asked without authorisation', async () => {
  use({});
  await notify();
  expect(directory.asked.map(({ headers }) => headers.authorization)).toEqual(Array(4).fill(undefined));
});

test('what an operation leaves out is the notification’s own', async () => {
  directory.answers.prepare = (channel) =>
    channel === 'slack'
      ? { operations: [{ type: 'SendSlackMessage', to: 'C999' }] }
      : { operations: [{ type: 'SendEmail' }, { type: 'SendEmail', to: 'second@example.com' }] };
  expect(await notify()).toMatchObject({ status: 'sent' });
  expect(flow.services.slackTransport.sent).toMatchObject([
    { channel: 'C999', text: expect.stringContaining('Please pay.') },
  ]);
  expect(flow.services.transport.sent).toMatchObject([
    { to: [{ address: 'ada@example.com' }], text: 'Please pay.' },
    { to: [{ address: 'second@example.com' }], text: 'Please pay.' },
  ]);
});

test('nothing that it answers stands in the store in clear, and it goes with the recipient’s key', async () => {
  directory.answers.audience = () => ({
    audience: { displayName: 'canary name' },
    failures: ['canary failure'],
    ifFailed: 'proceed',
  });
  directory.answers.channels = () => ({ channels: [{ channel: 'email', to: 'canary@example.com' }] });
  const text = 'canary text '.repeat(5_000);
  directory.answers.prepare = () => ({
    operations: [
      { type: 'SendEmail', content: { subject: 'canary subject', text } },
      { type: 'SendEmail', content: { subject: 'canary subject', text: 'canary' } },
    ],
  });
  const view = await notify();
  expect(view).toMatchObject({ status: 'sent' });
  expect(flow.services.transport.sent).toMatchObject([{ text }, { text: 'canary' }]);
  expect(JSON.stringify(await flow.stored())).not.toContain('canary');
  await flow.eraseRecipient('user-42');
  const shown = JSON.stringify([await queries.view(view.id, 0), await queries.events(view.id)]);
  expect(shown).not.toContain('canary');
});

test('a large content that it answers is removed with the attachments, some time after the end', async () => {
  const content = { subject: 'Invoice 7', text: 'Dear Ada '.repeat(5_000) };
  directory.answers.channels = () => ({ channels: [{ channel: 'email', to: 'ada@example.com' }] });
  directory.answers.prepare = () => ({ operations: [{ type: 'SendEmail', content }] });
  const { id } = await notify({ content: { subject: 'Invoice 7', text: 'Please pay.' } });
  const [prepared] = await flow.dataOf<NotificationPrepared>('notification.event', 'notification.prepared.v1');
  const { blob } = prepared!.operations[0]!.operation.content;
  expect(await flow.services.blobs.get(blob!)).toBeDefined();
  await flow.fireTimer(`${id}.retention`, id);
  await flow.drive();
  expect(await flow.services.blobs.get(blob!)).toBeUndefined();
});

describe('nothing to use', () => {
  const ended = (reason: string, step: string, failure: string | null) => ({
    status: 'failed',
    reason,
    decision: {
      steps: expect.arrayContaining([
        { step, source: 'directory', failures: failure === null ? [] : [expect.stringMatching(failure)] },
      ]),
    },
  });

  test('404 for the audience: an unknown recipient', async () => {
    directory.answers.audience = () => ({ status: 404 });
    expect(await notify()).toMatchObject(ended('unknownRecipient', 'audience', null));
    expect(directory.steps()).toEqual(['audience']);
  });
  test.each<[string, string, StepName, Answer, string | null]>([
    ['couldNotGetAudience', 'null', 'audience', { audience: null }, null],
    ['couldNotGetAudience', 'null and a failure', 'audience', { audience: null, failures: ['away'] }, 'away'],
    ['couldNotUseAudience', 'a failure', 'audience', { audience: {}, failures: ['away'] }, 'away'],
    ['couldNotGetChannelConfigs', 'an empty list', 'channels', { channels: [] }, null],
    [
      'couldNotGetChannelConfigs',
      'a channel that does not exist',
      'channels',
      { channels: [{ channel: 'fax', to: '5' }] },
      'channels\\[0\\].channel: must be one of email, slack',
    ],
    [
      'couldNotGetChannelConfigs',
      'an address that is none',
      'channels',
      { channels: [{ channel: 'email', to: 'canary' }] },
      'channels\\[0\\].to: to must be a mail address',
    ],
    [
      'couldNotUseChannelConfigs',
      'a channel twice',
      'channels',
      {
        channels: [
          { channel: 'slack', to: 'C1' },
          { channel: 'slack', to: 'C2' },
        ],
      },
      'the channel slack is named more than once',
    ],
    ['couldNotGetAudience', 'an unknown field', 'audience', { audience: {}, extra: 1 }, 'extra: is not a known field'],
    ['couldNotGetAudience', 'no JSON', 'audience', { raw: '<html>' }, 'is not JSON'],
    ['couldNotGetAudience', 'too much', 'audience', { raw: 'x'.repeat(1_048_577) }, 'over 1048576 bytes'],
    ['couldNotGetAudience', 'HTTP 401', 'audience', { status: 401 }, 'HTTP 401'],
  ])('%s: %s', async (reason, _, step, answer, failure) => {
    directory.answers[step] = () => answer;
    expect(await notify()).toMatchObject(ended(reason, step, failure));
    expect(directory.steps().filter((one) => one === step)).toHaveLength(1);
    expect(await flow.dataOf('notification.saga')).toEqual([]);
  });
  test.each<[string, object, string]>([
    [
      'for another channel',
      { operations: [{ type: 'SendEmail' }] },
      'the directory prepared SendEmail for the channel slack',
    ],
    [
      'with an attachment that is not there',
      { operations: [{ type: 'UploadFileToSlack', attachment: 1 }] },
      'attachment 1',
    ],
    ['of an unknown type', { operations: [{ type: 'SendFax' }] }, 'operations[0].type: must be one of'],
  ])('an operation %s: that channel could not be prepared', async (_, answer, failure) => {
    directory.answers.prepare = (channel) => (channel === 'slack' ? answer : prepareMail!);
    expect(await notify()).toMatchObject({
      status: 'sent',
      channels: {
        slack: { status: 'couldNotPrepare', failures: [expect.stringContaining(failure)] },
        email: { status: 'sent' },
      },
    });
  });
  test('opted out of all', async () => {
    directory.answers.channels = () => ({ channels: [{ channel: 'slack', optedOut: true }] });
    expect(await notify()).toMatchObject({ status: 'optedOut', channels: { slack: { status: 'optedOut' } } });
    expect(directory.steps()).toEqual(['audience', 'channels']);
  });
  test('no address on any channel', async () => {
    directory.answers.channels = () => ({ channels: [{ channel: 'slack' }] });
    expect(await notify()).toMatchObject({ status: 'failed', reason: 'noUsableChannel' });
  });
});

describe('trouble', () => {
  test.each([429, 500, 503])('HTTP %i is tried again, three times in all', async (status) => {
    directory.answers.audience = () => ({ status });
    expect(await notify()).toMatchObject({
      reason: 'couldNotGetAudience',
      decision: { steps: [{ failures: [`the directory answered audience with HTTP ${status}`] }] },
    });
    expect(directory.steps()).toEqual(['audience', 'audience', 'audience']);
  });
  test('that passes leaves no trace', async () => {
    let tries = 0;
    directory.answers.channels = () => ((tries += 1) < 3 ? { status: 503 } : channels!);
    expect(await notify()).toMatchObject({ status: 'sent', decision: { steps: [{}, { failures: [] }, {}] } });
  });
  test('an answer that does not come is not waited for', async () => {
    directory.answers.audience = () => 'silence';
    use({ timeout: 20 });
    expect(await notify()).toMatchObject({
      reason: 'couldNotGetAudience',
      decision: { steps: [{ failures: [expect.stringContaining('did not answer audience: ')] }] },
    });
    expect(directory.asked.length).toBeLessThanOrEqual(3);
  });
  test('nobody listens', async () => {
    await directory.close();
    const view = await notify();
    expect(view).toMatchObject({
      reason: 'couldNotGetAudience',
      decision: { steps: [{ failures: [expect.stringContaining('ECONNREFUSED')] }] },
    });
    directory = await DirectoryDouble.start();
  });
  test.each([301, 302, 303, 307, 308])(
    'a redirect (%d) is not followed: somebody has to set it right',
    async (status) => {
      const location = `${directory.url}/channels?secret=canary`;
      directory.answers.audience = () => ({ status, location });
      const view = await notify();
      const failure = `the directory answered audience with a redirect (HTTP ${status}), which is not followed: set TIDINGS_DIRECTORY_URL to where it leads`;
      expect(view).toMatchObject({ reason: 'couldNotGetAudience', decision: { steps: [{ failures: [failure] }] } });
      expect(JSON.stringify(view)).not.toContain('canary');
      // Nor asked again.
      expect(directory.steps()).toEqual(['audience']);
    },
  );
});

test('asked again after a crash, with another answer: what stands, stands', async () => {
  const id = await post();
  await flow.drive([sendBot]);
  const before = await flow.stored();
  directory.answers.audience = () => ({ status: 404 });
  await flow.drive([sendBot]);
  expect(await flow.stored()).toEqual(before);
  await flow.drive();
  expect(await queries.view(id, 0)).toMatchObject({ status: 'sent' });
});
