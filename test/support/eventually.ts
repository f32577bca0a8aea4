import { setTimeout as delay } from 'node:timers/promises';

/** What the look finds once it finds something. @throws where that takes longer than 40 seconds */
export async function eventually<Found>(look: () => Promise<Found | undefined>): Promise<Found> {
  for (const deadline = Date.now() + 40_000; Date.now() < deadline; await delay(20)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error('it did not come to pass in time');
}
