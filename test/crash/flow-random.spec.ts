import { expect, test } from '@jest/globals';
import { aroundAppend, Lane } from './support/trial.js';

const notifications = 200;
const clients = 8;
const kills = 5;

/** Numbers from 0 to below 1, the same ones for the same seed: mulberry32. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('killed at random moments, nothing accepted is lost or concluded twice', async () => {
  const random = randomNumbers(20_261);
  const lane = await Lane.open();
  try {
    const ids = new Map<string, string>();
    let restarted = Promise.resolve();

    async function killAndRestart(): Promise<void> {
      for (let kill = 0; kill < kills; kill += 1) {
        restarted = lane.restarted();
        const moment = random() < 0.5 ? 'before' : 'after';
        await lane.server.arm({ moment, nth: 1 + Math.floor(random() * 300) });
        await restarted;
      }
    }

    /** Posts until it is answered. */
    async function post(subject: string): Promise<string> {
      for (;;) {
        const notification = { content: { subject, text: 'How are you?' } };
        const { api } = lane.server;
        const id = await api.notify('ada', notification, { 'idempotency-key': subject }).catch(() => undefined);
        if (id !== undefined) return id;
        await restarted;
      }
    }

    const subjects = Array.from({ length: notifications }, (_, n) => `notification ${n}`);
    const waiting = subjects.values();
    async function postWaiting(): Promise<void> {
      for (const subject of waiting) ids.set(subject, await post(subject));
    }
    await Promise.all([killAndRestart(), ...Array.from({ length: clients }, postWaiting)]);

    const { api } = lane.server;
    for (const [subject, id] of ids) {
      const { status, channels } = await api.finalView(id);
      const mails = lane.smtp.mails.filter(({ parsed }) => parsed.subject === subject);
      const attempts = channels.email!.operations[0]!.attempts;
      expect(status).toBe('sent');
      expect(mails.length).toBeGreaterThanOrEqual(1);
      expect(mails.length).toBeLessThanOrEqual(attempts);
      expect(new Set(mails.map(({ parsed }) => parsed.messageId)).size).toBe(1);
    }
    await lane.finish([...ids.values()]);
  } finally {
    await lane.close();
  }
}, 120_000);

test('killed while checkpoints are written, a notification is sent and concluded once', async () => {
  const lane = await Lane.open();
  try {
    for (const trial of aroundAppend('runtime.checkpoint-reached.v1')) {
      const { status, ids, mails, messageIds, claims } = await lane.run(trial);
      expect({ status, ids, messageIds }).toEqual({ status: 'sent', ids: 1, messageIds: 1 });
      expect(mails).toBeLessThanOrEqual(claims.length);
    }
    await lane.finish();
  } finally {
    await lane.close();
  }
}, 60_000);
