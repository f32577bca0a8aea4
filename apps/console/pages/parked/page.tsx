import { Button, NativeSelect } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { ParkedItem } from '#libs/operator';
import { ask } from '../../api/client.js';
import { queryClient } from '../../api/live.js';
import { useConsumers, useParked } from '../../api/queries.js';
import { Answer, Nothing, Trouble } from '../../parts/answer.js';
import { Page, Section } from '../../parts/page.js';
import { Rows, type Column } from '../../parts/rows.js';
import { Ago } from '../../parts/time.js';
import { ParkedDialog } from './parked-dialog.js';
import { RedriveDialog, type RedriveFilter } from './redrive-dialog.js';

export function ParkedPage() {
  const [state, setState] = useState<'parked' | 'archived'>('parked');
  const [consumer, setConsumer] = useState('');
  const [open, setOpen] = useState<string>();
  const [redriving, setRedriving] = useState<RedriveFilter>();
  const consumers = useConsumers();
  const parked = useParked({ state, consumer });
  const archive = useMutation({
    mutationFn: ({ id }: ParkedItem) => ask(`/v1/parked/${id}:archive`, { method: 'POST' }),
    onSettled: () => queryClient.invalidateQueries(),
  });
  const columns: readonly Column<ParkedItem>[] = [
    {
      title: 'Record',
      cell: ({ id, record }) => (
        <button type="button" className="plain mono" onClick={() => setOpen(id)}>
          {record.type}
        </button>
      ),
    },
    { title: 'Consumer', cell: (item) => <span className="mono">{item.consumer}</span> },
    { title: 'Why', cell: ({ tries }) => tries.at(-1)?.error },
    { title: 'Tries', isNumber: true, cell: ({ tries }) => tries.length },
    { title: 'Parked', cell: ({ parkedAt }) => <Ago at={parkedAt} /> },
    {
      title: 'Flow',
      cell: ({ correlationId }) => <Link href={`/notifications/${correlationId}`}>{correlationId.slice(0, 8)}…</Link>,
    },
  ];
  const actions: Column<ParkedItem> = {
    title: 'Actions',
    cell: (item) => (
      <span className="actions">
        <Button size="compact-xs" variant="default" onClick={() => setRedriving({ ids: [item.id] })}>
          Redrive
        </Button>
        <Button size="compact-xs" variant="default" disabled={archive.isPending} onClick={() => archive.mutate(item)}>
          Archive
        </Button>
      </span>
    ),
  };
  const names = consumers.data?.items.map(({ name }) => name) ?? [];
  return (
    <Page title="Parked records">
      <Section title="Which">
        <div className="form">
          <NativeSelect
            label="State"
            value={state}
            onChange={(event) => setState(event.currentTarget.value === 'archived' ? 'archived' : 'parked')}
            data={['parked', 'archived']}
          />
          <NativeSelect
            label="Consumer"
            value={consumer}
            onChange={(event) => setConsumer(event.currentTarget.value)}
            data={[{ value: '', label: 'any' }, ...names]}
          />
          {state === 'parked' && (
            <Button onClick={() => setRedriving(consumer === '' ? {} : { consumer })}>Redrive all of these</Button>
          )}
        </div>
      </Section>
      <Section title="Records that a consumer gave up">
        {archive.error && <Trouble error={archive.error} />}
        <Answer to={parked}>
          {({ items, nextCursor, omitted }) =>
            items.length === 0 ? (
              <Nothing>There is none. What a consumer cannot handle, however often it tries, would be here.</Nothing>
            ) : (
              <>
                <Rows
                  label="Parked records"
                  columns={state === 'parked' ? [...columns, actions] : columns}
                  items={items}
                  keyOf={({ id }) => id}
                />
                {nextCursor !== null && <Nothing>There are more: choose a consumer to see fewer.</Nothing>}
                {omitted !== undefined && (
                  <Nothing>
                    {omitted.toLocaleString('en')} more are listed once others are redriven or archived.
                  </Nothing>
                )}
              </>
            )
          }
        </Answer>
      </Section>
      <ParkedDialog id={open} onClose={() => setOpen(undefined)} />
      <RedriveDialog filter={redriving} onClose={() => setRedriving(undefined)} />
    </Page>
  );
}
