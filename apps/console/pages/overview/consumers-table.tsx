import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { ConsumerView } from '#libs/operator';
import { ask } from '../../api/client.js';
import { queryClient } from '../../api/live.js';
import { rateText, useRates } from '../../api/rates.js';
import { Trouble } from '../../parts/answer.js';
import { Status } from '../../parts/chips.js';
import { Rows, type Column } from '../../parts/rows.js';
import { Ago } from '../../parts/time.js';

const numbers: readonly Column<ConsumerView>[] = (['lag', 'waiting', 'retrying', 'parked'] as const).map((name) => ({
  title: name[0]!.toUpperCase() + name.slice(1),
  isNumber: true,
  cell: (consumer) => consumer[name].toLocaleString('en'),
}));

interface ConsumersTableProps {
  readonly consumers: readonly ConsumerView[];
  /** When that was so, in milliseconds. */
  readonly at: number;
}

export function ConsumersTable({ consumers, at }: ConsumersTableProps) {
  const rates = useRates(Object.fromEntries(consumers.map(({ name, handled }) => [name, handled])), at);
  const turn = useMutation({
    mutationFn: ({ name, state }: ConsumerView) =>
      ask(`/v1/consumers/${encodeURIComponent(name)}:${state === 'paused' ? 'resume' : 'pause'}`, { method: 'POST' }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['/v1/consumers'] }),
  });
  const columns: readonly Column<ConsumerView>[] = [
    { title: 'Consumer', cell: ({ name }) => <span className="mono">{name}</span> },
    { title: 'State', cell: ({ state }) => <Status of={state} /> },
    { title: 'Rate', isNumber: true, cell: ({ name }) => rateText(rates[name]) },
    ...numbers,
    { title: 'Last error', cell: ({ lastError }) => lastError && <LastError {...lastError} /> },
    { title: 'Action', cell: (consumer) => <Turn consumer={consumer} act={turn.mutate} busy={turn.isPending} /> },
  ];
  return (
    <>
      {turn.error && <Trouble error={turn.error} />}
      <Rows label="Consumers" columns={columns} items={consumers} keyOf={({ name }) => name} />
    </>
  );
}

function LastError({ at, error }: { readonly at: string; readonly error: string }) {
  return (
    <>
      {error} (<Ago at={at} />)
    </>
  );
}

interface TurnProps {
  readonly consumer: ConsumerView;
  readonly busy: boolean;
  act(consumer: ConsumerView): void;
}

function Turn({ consumer, act, busy }: TurnProps) {
  const { name, state } = consumer;
  if (state !== 'running' && state !== 'paused') return null;
  const word = state === 'paused' ? 'Resume' : 'Pause';
  return (
    <Button
      size="compact-xs"
      variant="default"
      disabled={busy}
      aria-label={`${word} ${name}`}
      onClick={() => act(consumer)}
    >
      {word}
    </Button>
  );
}
