import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { ask } from '../../api/client.js';
import { queryClient } from '../../api/live.js';
import { notificationPath } from '../../api/queries.js';
import { Trouble } from '../../parts/answer.js';

interface Cancelling {
  readonly status: string;
}

/** For a notification that has not ended. */
export function Cancel({ id }: { readonly id: string }) {
  const cancelling = useMutation({
    mutationFn: () => ask<Cancelling>(`${notificationPath(id)}:cancel`, { method: 'POST' }),
    onSettled: () => queryClient.invalidateQueries(),
  });
  return (
    <>
      <div className="actions">
        <Button
          variant="default"
          onClick={() => cancelling.mutate()}
          loading={cancelling.isPending}
          disabled={cancelling.isSuccess}
        >
          Cancel this notification
        </Button>
        <span role="status">{cancelling.isSuccess && 'Accepted. An attempt that is under way runs to its end.'}</span>
      </div>
      {cancelling.error && <Trouble error={cancelling.error} />}
    </>
  );
}
