import { describe, expect, it } from '@jest/globals';
import { performance } from 'node:perf_hooks';
import { Pace } from './pace.js';

const share = 0.25;

/** Sends a record: half a millisecond's work, then the pause there may be. */
async function send(pace: Pace): Promise<void> {
  const end = performance.now() + 0.5;
  while (performance.now() < end);
  await pace.step();
}

describe('the pace of long reads', () => {
  it('holds nobody back where it is not told to', () => {
    const pace = new Pace();
    for (let sent = 0; sent < 1_000; sent += 1) expect(pace.step()).toBeUndefined();
  });

  it('lets several readers together work no more than their part of the time', async () => {
    const pace = new Pace();
    pace.share = share;
    const started = performance.now();
    const since = performance.eventLoopUtilization();
    const reader = async () => {
      for (let sent = 0; sent < 150; sent += 1) await send(pace);
    };
    await Promise.all([reader(), reader()]);
    const worked = performance.eventLoopUtilization(since).active;
    expect(worked).toBeGreaterThanOrEqual(150);
    // What was sent after the last pause is not paid for yet.
    expect(performance.now() - started).toBeGreaterThan((worked - 50) / share);
  });

  it('lets them go again at once', async () => {
    const pace = new Pace();
    pace.share = share;
    while (pace.step() === undefined) await send(new Pace());
    await pace.step();
    pace.share = 1;
    expect(pace.step()).toBeUndefined();
  });
});
