import { Modal } from '@mantine/core';
import { useParkedDetail } from '../../api/queries.js';
import { Answer } from '../../parts/answer.js';
import { Json } from '../../parts/json.js';
import { Time } from '../../parts/time.js';

interface ParkedDialogProps {
  /** Undefined: closed. */
  readonly id: string | undefined;
  onClose(): void;
}

/** A parked record with what was tried, and as it stands in the store. */
export function ParkedDialog({ id, onClose }: ParkedDialogProps) {
  return (
    <Modal
      opened={id !== undefined}
      onClose={onClose}
      title="Parked record"
      size="xl"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {id !== undefined && <Detail id={id} />}
    </Modal>
  );
}

function Detail({ id }: { readonly id: string }) {
  return (
    <Answer to={useParkedDetail(id)}>
      {({ tries, record, event }) => (
        <>
          <p className="mono">
            {record.stream}, revision {record.revision}
          </p>
          <ol className="list">
            {tries.map(({ at, error }) => (
              <li key={at}>
                <Time at={at} /> {error}
              </li>
            ))}
          </ol>
          <Json of={event} label="The record as JSON" />
        </>
      )}
    </Answer>
  );
}
