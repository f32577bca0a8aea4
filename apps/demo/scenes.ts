import type { DemoApi } from './api.js';
import { cast } from './people.js';

const minute = 60_000;

/** One notification, and what becomes of it. */
export interface Scene {
  /** The status that it comes to. */
  readonly status: 'sent' | 'partiallySent' | 'failed' | 'optedOut' | 'cancelled' | 'expired' | 'scheduled';
  readonly because: string;
  /** It takes providers that fail. */
  readonly needsProviders?: true;
  /** What is asked for, made when it is asked for. */
  body(): object;
  readonly isCalledOff?: true;
}

function inFuture(milliseconds: number): string {
  return new Date(Date.now() + milliseconds).toISOString();
}

function saying(subject: string, text: string, more: object = {}): object {
  return { content: { subject, text, ...more } };
}

const minutes = {
  fileName: 'minutes.txt',
  mediaType: 'text/plain',
  content: Buffer.from('Nobody came.').toString('base64'),
};

/** What there is to see, each once. */
export const scenes: readonly Scene[] = [
  {
    status: 'sent',
    because: 'by mail and in Slack',
    body: () => ({
      recipientId: cast.ada.id,
      category: 'billing',
      tags: { demo: 'scene', invoice: '7' },
      about: { entityType: 'invoice', entityId: '7' },
      ...saying('Invoice 7', 'Dear Ada, your invoice is ready.', {
        html: '<h2>Invoice 7</h2><p>Dear Ada, your invoice is <b>ready</b>.</p>',
      }),
    }),
  },
  {
    status: 'sent',
    because: 'at the third attempt: the mail server was busy',
    needsProviders: true,
    body: () => ({ recipientId: cast.bea.id, ...saying('Patience', 'It gets there.') }),
  },
  {
    status: 'partiallySent',
    because: 'the mail and the message went out; the file needs the id of a channel, and there is only a name',
    body: () => ({
      recipientId: cast.uma.id,
      ...saying('Minutes of the meeting', 'See the file.', { attachments: [minutes] }),
    }),
  },
  {
    status: 'partiallySent',
    because: 'the mail went out, the Slack channel is archived',
    needsProviders: true,
    body: () => ({ recipientId: cast.pat.id, ...saying('Lunch', 'There is soup.') }),
  },
  {
    status: 'failed',
    because: 'the mail server knows nobody of that name',
    needsProviders: true,
    body: () => ({
      recipientId: cast.gil.id,
      category: 'security',
      severity: 'critical',
      ...saying('Somebody signed in as you', 'Was it you?'),
    }),
  },
  {
    status: 'failed',
    because: 'there is no such recipient',
    body: () => ({ recipientId: 'demo-nobody', severity: 'error', ...saying('Hello?', 'Who is there?') }),
  },
  {
    status: 'failed',
    because: 'the recipient has no address',
    body: () => ({ recipientId: cast.nico.id, ...saying('Hello', 'Where are you?') }),
  },
  {
    status: 'optedOut',
    because: 'the recipient wants to be told nothing',
    body: () => ({ recipientId: cast.quinn.id, category: 'news', ...saying('News', 'There are none.') }),
  },
  {
    status: 'expired',
    because: 'its time was over before it was taken up',
    body: () => ({
      recipientId: cast.grace.id,
      expiresAt: inFuture(-minute),
      ...saying('A parking space is free', 'It was, a minute ago.'),
    }),
  },
  {
    status: 'cancelled',
    because: 'it was for later, and was called off',
    isCalledOff: true,
    body: () => ({ recipientId: cast.grace.id, deliverAt: inFuture(60 * minute), ...saying('Picnic', 'At noon.') }),
  },
  {
    status: 'scheduled',
    because: 'it is for the next hour',
    body: () => ({
      recipientId: cast.grace.id,
      severity: 'success',
      deliverAt: inFuture(60 * minute),
      ...saying('You have made it', 'You began an hour ago.'),
    }),
  },
];

/** Asks for the notification of a scene, and answers its id. @throws DemoFailed */
export async function playScene(api: DemoApi, { body, isCalledOff }: Scene): Promise<string> {
  const id = await api.tell({ tags: { demo: 'scene' }, ...body() });
  if (isCalledOff) await api.post(`/v1/notifications/${id}:cancel`);
  return id;
}
