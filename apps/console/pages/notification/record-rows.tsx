import type { RecordView } from '#libs/http';
import { Rows, type Column } from '../../parts/rows.js';
import { Time } from '../../parts/time.js';

interface RecordRowsProps {
  readonly records: readonly RecordView[];
  onOpen(record: RecordView): void;
}

export function RecordRows({ records, onOpen }: RecordRowsProps) {
  const columns: readonly Column<RecordView>[] = [
    { title: 'Position', isNumber: true, cell: ({ position }) => position },
    { title: 'At', cell: ({ occurredAt }) => <Time at={occurredAt} /> },
    {
      title: 'Type',
      cell: (record) => (
        <button type="button" className="plain mono" onClick={() => onOpen(record)}>
          {record.type}
        </button>
      ),
    },
    { title: 'Stream', cell: ({ stream }) => <span className="mono">{stream}</span> },
    { title: 'Revision', isNumber: true, cell: ({ revision }) => revision },
    { title: 'Readable', cell: ({ unreadable }) => (unreadable === undefined ? 'yes' : `no: ${unreadable}`) },
  ];
  return <Rows label="Records" columns={columns} items={records} keyOf={({ position }) => position} />;
}
