import { useRef } from 'react';

interface Sample {
  readonly at: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** Milliseconds over which a rate is taken: shorter, and it flickers. */
const over = 10_000;

/**
 * How fast counters rise, per second, from what they were in the last seconds.
 * @param at when they were read, in milliseconds; the same time is the same sample
 */
export function useRates(counts: Readonly<Record<string, number>>, at: number): Readonly<Record<string, number>> {
  const samples = useRef<readonly Sample[]>([]);
  const last = samples.current.at(-1);
  if (at > (last?.at ?? 0)) {
    const kept = samples.current.filter((sample) => sample.at > at - over);
    samples.current = [...kept, { at, counts }];
  }
  const [first] = samples.current;
  const newest = samples.current.at(-1);
  if (first === undefined || newest === undefined || newest.at === first.at) return {};
  const seconds = (newest.at - first.at) / 1_000;
  return Object.fromEntries(
    Object.entries(newest.counts).map(([name, count]) => {
      // A counter that fell belongs to a server that was started again.
      const rise = Math.max(0, count - (first.counts[name] ?? count));
      return [name, rise / seconds];
    }),
  );
}

/** `0`, `0.4`, `12`, `3,400` per second. */
export function rateText(rate: number | undefined): string {
  if (rate === undefined) return '–';
  if (rate === 0) return '0/s';
  return `${rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en')}/s`;
}
