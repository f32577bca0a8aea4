import { expect, test } from '@jest/globals';
import { fold } from '#libs/kernel';
import { foldView, notification, type NotificationEvent, type ViewSource } from '#libs/notification';
import { eventually, findInFiles, type EventItem } from '../support/index.js';
import { mailOf, slackOf, useWorld } from './support/index.js';

const world = useWorld({ useDirectory: true });

interface Mail {
  readonly notificationId: string;
  readonly to: string;
  readonly status: string;
  readonly tags: Readonly<Record<string, string>>;
}

const address = 'test@example.com';

/** The mails of a list, newest first, once there are so many of them. */
function mails(query: string, count: number): Promise<readonly Mail[]> {
  return eventually(async () => {
    const { status, body } = await world.api.request<{ items: Mail[] }>('GET', `/v1/emails?${query}`);
    return status === 200 && body.items.length >= count ? body.items : undefined;
  });
}

test('29. What emails went to test@example.com?', async () => {
  const channels = { channels: [{ channel: 'email', to: address }] };
  for (const id of ['first', 'second']) world.directory.knows(id, { channels });
  const sent: string[] = [];
  for (const [recipientId, invoice] of [
    ['first', '7'],
    ['other', '8'],
    ['second', '9'],
  ] as const) {
    const id = await world.api.notify(recipientId, { tags: { invoice } });
    expect((await world.api.finalView(id)).status).toBe('sent');
    if (recipientId !== 'other') sent.unshift(id);
  }
  world.smtp.behave({ at: 'recipient', recipient: address, times: 1, reply: '550 5.1.1 no such user' });
  const refused = await world.api.notify('first', { tags: { invoice: '10' } });
  expect((await world.api.finalView(refused)).status).toBe('failed');

  const all = await mails(`to=${address}`, 3);
  expect(all.map(({ notificationId, to, status, tags }) => [notificationId, to, status, tags['invoice']])).toEqual([
    [refused, address, 'failed', '10'],
    [sent[0], address, 'succeeded', '9'],
    [sent[1], address, 'succeeded', '7'],
  ]);
  const succeeded = await mails(`to=${address}&status=succeeded`, 2);
  expect(succeeded.map(({ notificationId }) => notificationId)).toEqual(sent);
  expect(succeeded).toHaveLength(world.smtp.mails.filter(({ envelope }) => envelope.to.includes(address)).length);
  expect(await mails('to=nobody@example.com', 0)).toEqual([]);
  expect(await findInFiles(world.dataDir, [address])).toEqual([]);
});

const attachments = [{ fileName: 'a.txt', mediaType: 'text/plain', content: 'YQ==' }];

/** What becomes of a notification to this recipient, and how it comes to that. */
const stories: readonly (readonly [
  status: string,
  recipientId: string,
  arrange: () => void,
  more?: Readonly<Record<string, unknown>>,
])[] = [
  ['sent', 'readall', () => {}, { content: { subject: 'a', text: 'b', attachments }, tags: { invoice: '7' } }],
  [
    'sent',
    'readretried',
    () => world.smtp.behave({ at: 'recipient', recipient: mailOf('readretried'), times: 1, reply: '451 4.3.0 later' }),
  ],
  [
    'partiallySent',
    'readsome',
    () =>
      world.slack.behave({
        method: 'chat.postMessage',
        channel: slackOf('readsome'),
        reply: { body: { ok: false, error: 'is_archived' } },
      }),
  ],
  ['failed', 'readnone', () => world.directory.knows('readnone', { audience: { audience: null, failures: ['away'] } })],
  [
    'failed',
    'readunprepared',
    () =>
      world.directory.knows('readunprepared', { prepare: { email: { httpStatus: 400 }, slack: { httpStatus: 400 } } }),
  ],
  [
    'optedOut',
    'readhermit',
    () => world.directory.knows('readhermit', { channels: { channels: [{ channel: 'email', optedOut: true }] } }),
  ],
  ['expired', 'readlate', () => {}, { expiresAt: '2020-01-01T00:00:00Z' }],
];

/** What `/events` shows, as the records that views are made of. */
function sourcesIn(events: readonly EventItem[]): readonly ViewSource[] {
  return events
    .filter(({ stream }) => /^(notification|email|slack)\.event-/.test(stream))
    .map(
      ({ revision, position, occurredAt, ...rest }) =>
        ({
          ...rest,
          revision: BigInt(revision),
          position: BigInt(position),
          created: Date.parse(occurredAt),
        }) as unknown as ViewSource,
    );
}

test.each(stories)(
  '30. The events of one tracking id, in order, rebuild the state; view and snapshot agree: %s (%s)',
  async (status, recipientId, arrange, more = {}) => {
    arrange();
    const id = await world.api.notify(recipientId, more);
    const view = await world.api.finalView(id);
    expect(view.status).toBe(status);
    const events = await world.api.events(id);
    const positions = events.map(({ position }) => Number(position));
    expect([...positions].sort((a, b) => a - b)).toEqual(positions);

    const sources = sourcesIn(events);
    expect(view).toEqual(foldView(sources));
    const own = events.filter(({ stream }) => stream === `notification.event-${id}`);
    expect(own.map(({ revision }) => revision)).toEqual(own.map((_, index) => index));
    const snapshot = await eventually(async () => {
      const answer = await world.api.request('GET', `/v1/notifications/${id}/snapshot`);
      return answer.status === 200 ? answer.body : undefined;
    });
    expect(snapshot).toEqual({
      foldVersion: expect.any(Number),
      revision: String(own.length - 1),
      state: fold(notification, own as unknown as readonly NotificationEvent[]),
    });

    for (const [index, { position }] of sources.entries()) {
      const past = await world.api.request('GET', `/v1/notifications/${id}?asOf=${position}`);
      expect(past.body).toEqual(foldView(sources.slice(0, index + 1)));
    }
  },
);
