import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { ConsumerView, StatsView } from '#libs/operator';
import { rateText } from '../../api/rates.js';
import { Status } from '../../parts/chips.js';
import { durationText } from '../../parts/time.js';

/** Points of the past that the throughput is taken from: a minute. */
const recentPoints = 12;

interface TilesProps {
  readonly stats: StatsView;
  readonly consumers: readonly ConsumerView[];
}

export function Tiles({ stats: { points, step, latency }, consumers }: TilesProps) {
  const recent = points.slice(-recentPoints);
  const seconds = recentPoints * step;
  const accepted = sum(recent.map((point) => point.accepted));
  const ended = sum(recent.flatMap(({ outcomes }) => Object.values(outcomes)));
  const slowest = consumers
    .filter(isBehind)
    .reduce<ConsumerView | undefined>((worst, one) => (one.lag > (worst?.lag ?? 0) ? one : worst), undefined);
  const parked = sum(consumers.map((consumer) => consumer.parked));
  const down = consumers.filter(({ state }) => state !== 'running');
  return (
    <dl className="tiles">
      <Tile name="Taken up, last minute" figure={rateText(accepted / seconds)} note={`${accepted} notifications`} />
      <Tile name="Ended, last minute" figure={rateText(ended / seconds)} note={`${ended} notifications`} />
      <Tile
        name="Median time to the end"
        figure={latencyText(latency.p50)}
        note={`95 %: ${latencyText(latency.p95)}, 99 %: ${latencyText(latency.p99)}`}
      />
      <Tile
        name="Largest lag"
        figure={(slowest?.lag ?? 0).toLocaleString('en')}
        note={slowest?.name ?? 'nobody is behind'}
      />
      <Tile
        name="Parked"
        figure={parked.toLocaleString('en')}
        note={parked === 0 ? 'nothing was given up' : <Link href="/parked">Look at them</Link>}
      />
      <Tile
        name="Consumers"
        figure={`${consumers.length - down.length} of ${consumers.length}`}
        note={down.length === 0 ? <Status of="running" /> : <Status of={down[0]!.state} />}
      />
    </dl>
  );
}

function Tile({ name, figure, note }: { readonly name: string; readonly figure: string; readonly note: ReactNode }) {
  return (
    <div className="tile">
      <dt>{name}</dt>
      <dd className="figure">{figure}</dd>
      <dd className="dimmed">{note}</dd>
    </div>
  );
}

/** A checkpoint also waits for mails that are under way: that is a lag, but nothing is left to do. */
function isBehind({ state, waiting }: ConsumerView): boolean {
  return state !== 'running' || waiting > 0;
}

function latencyText(milliseconds: number | null): string {
  return milliseconds === null ? '–' : durationText(milliseconds);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
