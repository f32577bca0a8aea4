import type { StreamEnd, StreamView } from '#libs/operator';
import { rateText } from '../../api/rates.js';
import { Rows, type Column } from '../../parts/rows.js';
import { Ago } from '../../parts/time.js';

interface StreamsTableProps {
  readonly streams: readonly StreamView[];
  readonly rates: Readonly<Record<string, number>>;
}

/** What the graph shows, to read. */
export function StreamsTable({ streams, rates }: StreamsTableProps) {
  const columns: readonly Column<StreamView>[] = [
    { title: 'Stream', cell: ({ category }) => <span className="mono">{category}</span> },
    { title: 'Rate', isNumber: true, cell: ({ category }) => rateText(rates[category]) },
    { title: 'Since start', isNumber: true, cell: ({ appended }) => appended.toLocaleString('en') },
    { title: 'Last record', cell: ({ head }) => (head === null ? 'none' : <Ago at={head.at} />) },
    { title: 'Written by', cell: ({ producers }) => <Names of={producers} /> },
    { title: 'Handed to', cell: ({ consumers }) => <Names of={consumers.filter(({ handed }) => handed)} /> },
    { title: 'Looked up by', cell: ({ consumers }) => <Names of={consumers.filter(({ handed }) => !handed)} /> },
  ];
  return <Rows label="Streams" columns={columns} items={streams} keyOf={({ category }) => category} />;
}

function Names({ of }: { readonly of: readonly StreamEnd[] }) {
  return of.length === 0 ? '–' : <span className="mono">{of.map(({ name }) => name).join(', ')}</span>;
}
