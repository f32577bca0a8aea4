import type { StatsView } from '#libs/operator';
import { Status, toneOf, wordOf } from '../../parts/chips.js';

const outcomes = ['sent', 'partiallySent', 'optedOut', 'expired', 'cancelled', 'failed'] as const;
type Outcome = (typeof outcomes)[number];

const height = 100;
const barWidth = 8;
const gap = 2;

/** How notifications ended, a bar for each few seconds; the same as numbers below. */
export function OutcomesChart({ stats: { points, step } }: { readonly stats: StatsView }) {
  const bars = points.map((point) => outcomes.map((outcome) => countOf(point.outcomes, outcome)));
  const highest = Math.max(1, ...bars.map((bar) => bar.reduce((sum, one) => sum + one, 0)));
  const totals = outcomes.map((outcome, row) => [outcome, bars.reduce((sum, bar) => sum + bar[row]!, 0)] as const);
  const shown = totals.filter(([outcome, total]) => total > 0 || outcome === 'sent' || outcome === 'failed');
  const words = shown.map(([outcome, total]) => `${total} ${wordOf(outcome)}`).join(', ');
  const width = points.length * (barWidth + gap);
  return (
    <>
      <svg
        className="chart"
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`In steps of ${step} seconds. In all: ${words}`}
      >
        <line x1="0" x2={width} y1={height - 0.5} y2={height - 0.5} />
        {bars.map((bar, column) => (
          <Bar key={points[column]!.at} bar={bar} x={column * (barWidth + gap)} scale={(height - 2) / highest} />
        ))}
      </svg>
      <ul className="legend">
        {shown.map(([outcome, total]) => (
          <li key={outcome}>
            <Status of={outcome} /> <span className="number">{total.toLocaleString('en')}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Bar({ bar, x, scale }: { readonly bar: readonly number[]; readonly x: number; readonly scale: number }) {
  return bar.map((count, row) => {
    const below = bar.slice(0, row).reduce((sum, one) => sum + one, 0);
    const y = height - 1 - (below + count) * scale;
    return (
      count > 0 && (
        <rect
          key={outcomes[row]}
          data-tone={toneOf(outcomes[row]!)}
          x={x}
          width={barWidth}
          y={y}
          height={count * scale}
        />
      )
    );
  });
}

function countOf(counts: Readonly<Partial<Record<string, number>>>, outcome: Outcome): number {
  return counts[outcome] ?? 0;
}
