import { Button, Modal } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import type { Redriven } from '#libs/operator';
import { ask } from '../../api/client.js';
import { queryClient } from '../../api/live.js';
import { Answer, Trouble } from '../../parts/answer.js';

export interface RedriveFilter {
  readonly ids?: readonly string[];
  readonly consumer?: string;
}

interface RedriveDialogProps {
  /** Undefined: closed. */
  readonly filter: RedriveFilter | undefined;
  onClose(): void;
}

function redrive(filter: RedriveFilter, dryRun: boolean): Promise<Redriven> {
  return ask<Redriven>('/v1/parked:redrive', { method: 'POST', body: { filter, dryRun } });
}

/** Says first what would be done, by a dry run, and then does it. */
export function RedriveDialog({ filter, onClose }: RedriveDialogProps) {
  return (
    <Modal opened={filter !== undefined} onClose={onClose} title="Redrive" closeButtonProps={{ 'aria-label': 'Close' }}>
      {filter !== undefined && <Confirmation filter={filter} onClose={onClose} />}
    </Modal>
  );
}

function Confirmation({ filter, onClose }: { readonly filter: RedriveFilter; onClose(): void }) {
  const dryRun = useQuery({ queryKey: ['dry run', filter], queryFn: () => redrive(filter, true), gcTime: 0 });
  const run = useMutation({
    mutationFn: () => redrive(filter, false),
    onSuccess: ({ pending }) => (pending === undefined ? onClose() : undefined),
    onSettled: () => queryClient.invalidateQueries(),
  });
  return (
    <Answer to={dryRun}>
      {({ count }) => (
        <>
          <p>
            {count === 0
              ? 'There is nothing to redrive.'
              : `${count.toLocaleString('en')} ${count === 1 ? 'record is' : 'records are'} handed to their consumers again. What fails again is parked again.`}
          </p>
          {run.error && <Trouble error={run.error} />}
          {run.data && (
            <p role="status">
              {run.data.count.toLocaleString('en')} done; {(run.data.pending ?? 0).toLocaleString('en')} asked for, and
              not done yet by the processes that have them. Until then they stay in the list.
            </p>
          )}
          <div className="actions">
            <Button onClick={() => run.mutate()} loading={run.isPending} disabled={count === 0}>
              Redrive {count.toLocaleString('en')}
            </Button>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
          </div>
        </>
      )}
    </Answer>
  );
}
