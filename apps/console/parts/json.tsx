import { Modal } from '@mantine/core';
import { Wide } from './page.js';

/** Anything as indented JSON. */
export function Json({ of, label }: { readonly of: unknown; readonly label: string }) {
  return (
    <Wide label={label}>
      <pre className="json">{JSON.stringify(of, null, 2)}</pre>
    </Wide>
  );
}

interface RecordDialogProps {
  readonly title: string;
  /** Undefined: closed. */
  readonly record: unknown;
  onClose(): void;
}

/** A record as it stands. Escape closes it and gives the focus back. */
export function RecordDialog({ title, record, onClose }: RecordDialogProps) {
  return (
    <Modal
      opened={record !== undefined}
      onClose={onClose}
      title={title}
      size="xl"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Json of={record} label="The record as JSON" />
    </Modal>
  );
}
