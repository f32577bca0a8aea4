import { Button, Slider } from '@mantine/core';
import type { RecordView } from '#libs/http';
import type { NotificationView } from '#libs/notification';
import { pathOf } from '../../api/client.js';
import { useOnce } from '../../api/live.js';
import { notificationPath } from '../../api/queries.js';
import { Time } from '../../parts/time.js';

interface HistoryProps {
  readonly id: string;
  readonly records: readonly RecordView[];
  /** Position of the record up to which is shown; undefined: now. */
  readonly asOf: string | undefined;
  onPick(asOf: string | undefined): void;
}

/** Goes back in time, record by record. Not there where the server cannot tell how it was. */
export function History({ id, records, asOf, onPick }: HistoryProps) {
  const first = records[0]?.position;
  const past = useOnce<NotificationView>(pathOf(notificationPath(id), { asOf: first }), first !== undefined);
  if (records.length < 2 || !past.isSuccess) return null;
  const last = records.length - 1;
  const found = records.findIndex(({ position }) => position === asOf);
  const index = found < 0 ? last : found;
  const record = records[index]!;
  const pick = (place: number) => onPick(place === last ? undefined : records[place]!.position);
  return (
    <div className="slider">
      <p>
        {asOf === undefined ? 'As it is now' : 'As it was'}: record {index + 1} of {records.length},{' '}
        <span className="mono">{record.type}</span>, <Time at={record.occurredAt} />{' '}
        {asOf !== undefined && (
          <Button size="compact-xs" variant="default" onClick={() => onPick(undefined)}>
            Back to now
          </Button>
        )}
      </p>
      <Slider
        min={0}
        max={last}
        value={index}
        onChange={pick}
        label={null}
        thumbLabel="How it was after which record"
        marks={records.map((_, value) => ({ value }))}
        size="sm"
      />
    </div>
  );
}
