import { setTimeout as delay } from 'node:timers/promises';
import type { DemoApi } from './api.js';
import { people } from './people.js';

/** In milliseconds. */
const tick = 500;
const wave = 60_000;

const kinds: readonly object[] = [
  { category: 'billing', severity: 'info', content: { subject: 'Invoice ready', text: 'Your invoice is ready.' } },
  { category: 'orders', severity: 'success', content: { subject: 'Parcel delivered', text: 'It is at the door.' } },
  { category: 'storage', severity: 'warning', content: { subject: 'Almost full', text: '92 % are in use.' } },
  { category: 'security', severity: 'critical', content: { subject: 'New sign-in', text: 'Was it you?' } },
];

function oneOf<T>(choices: readonly T[]): T {
  return choices[Math.floor(Math.random() * choices.length)]!;
}

/** Tells somebody something, some two times a second, in waves of a minute. Ends when the signal is aborted. */
export async function playTraffic(api: DemoApi, signal: AbortSignal): Promise<void> {
  const begun = Date.now();
  let owed = 0;
  await playEvery(
    tick,
    async () => {
      const rate = 2 + 1.5 * Math.sin((2 * Math.PI * (Date.now() - begun)) / wave);
      for (owed += (rate * tick) / 1_000; owed >= 1; owed -= 1) {
        await api.tell({ ...oneOf(kinds), recipientId: oneOf(people).id, tags: { demo: 'traffic' } });
      }
    },
    signal,
  );
}

/** Does something again and again; ends when the signal is aborted. */
export async function playEvery(milliseconds: number, act: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (await passed(milliseconds, signal)) await act();
}

/** False when the signal is aborted before so many milliseconds have passed. */
export async function passed(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(milliseconds, undefined, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
