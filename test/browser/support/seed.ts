import { type SmtpDouble } from '#libs/testing';
import type { Api } from '../../support/index.js';

/** Ids of notifications that ended in every way there is. */
export interface Seed {
  /** By mail and Slack, after two attempts that failed. */
  readonly sent: string;
  readonly failed: string;
  readonly optedOut: string;
  readonly scheduled: string;
}

const html = `<h2 style="font-family: sans-serif; color: #1a5490">Invoice 7</h2>
<p style="font-family: sans-serif">Dear Ada, your invoice is ready. It is due on <b>31 January</b>.</p>`;

/** Fills an empty installation, whose mail goes to the double, with what an installation has. */
export async function seed(api: Api, smtp: SmtpDouble): Promise<Seed> {
  smtp.behave({ recipient: 'ada@example.com', at: 'data', times: 2, reply: '451 4.3.0 try later' });
  smtp.behave({ recipient: 'gone@example.com', at: 'recipient', reply: '550 5.1.1 no such user' });
  await api.putRecipient('ada', 'ada@example.com', {
    displayName: 'Ada',
    channels: { email: { address: 'ada@example.com' }, slack: { channel: 'C024BE91L' } },
    preferences: { categories: { billing: { channels: ['email', 'slack'], minSeverity: { email: 'info' } } } },
  });
  await api.putRecipient('grace', 'grace@example.com', { displayName: 'Grace' });
  await api.putRecipient('gone', 'gone@example.com');
  await api.putRecipient('quiet', 'quiet@example.com', { preferences: { default: { channels: [] } } });
  const sent = await api.notify('ada', {
    category: 'billing',
    tags: { invoice: '7' },
    about: { entityType: 'invoice', entityId: '7' },
    content: { subject: 'Invoice 7', text: 'Dear Ada, your invoice is ready.', html },
  });
  const failed = await api.notify('gone', {
    category: 'security',
    severity: 'critical',
    content: { subject: 'Somebody signed in as you', text: 'Was it you?' },
  });
  const optedOut = await api.notify('quiet', { severity: 'debug' });
  const scheduled = await api.notify('grace', { deliverAt: '2100-01-01T00:00:00Z', severity: 'success' });
  await api.notify('nobody', { severity: 'error' });
  await Promise.all([sent, failed, optedOut].map((id) => api.finalView(id)));
  return { sent, failed, optedOut, scheduled };
}

/** Half a minute of ordinary traffic, for a picture: resolves when all of it has ended. */
export async function seedTraffic(api: Api): Promise<void> {
  const kinds = [
    { category: 'billing', severity: 'info', content: { subject: 'Invoice ready', text: 'Your invoice is ready.' } },
    { category: 'orders', severity: 'success', content: { subject: 'Parcel delivered', text: 'It is there.' } },
    { category: 'storage', severity: 'warning', content: { subject: 'Almost full', text: '92 % are in use.' } },
  ];
  const sends = Array.from({ length: 90 }, (_, number) => ({
    recipient: number % 17 === 5 ? 'quiet' : number % 11 === 3 ? 'gone' : 'grace',
    body: { ...kinds[number % kinds.length], deliverAt: new Date(Date.now() + 400 * number).toISOString() },
  }));
  const ids = await Promise.all(sends.map(({ recipient, body }) => api.notify(recipient, body)));
  for (const id of ids) {
    const path = `/v1/notifications/${id}?wait=60`;
    await api.request('GET', path);
  }
}
