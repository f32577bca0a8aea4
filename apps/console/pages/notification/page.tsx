import { lazy, Suspense, useState } from 'react';
import { Link } from 'wouter';
import type { RecordView } from '#libs/http';
import { Refusal } from '../../api/client.js';
import { useNotification, useRecords } from '../../api/queries.js';
import { Answer, MissingScope, Nothing } from '../../parts/answer.js';
import { RecordDialog } from '../../parts/json.js';
import { Page, Section } from '../../parts/page.js';
import { Attempts } from './attempts.js';
import { Cancel } from './cancel.js';
import { Decision } from './decision.js';
import { History } from './history.js';
import { RecordRows } from './record-rows.js';
import { Said } from './said.js';
import { Summary } from './summary.js';

const CausationGraph = lazy(() => import('./causation-graph.js'));

const unknown = (
  <Nothing>
    There is no such notification. <Link href="/notifications">Search</Link>
  </Nothing>
);

export function NotificationPage({ id }: { readonly id: string }) {
  const [asOf, setAsOf] = useState<string>();
  const [open, setOpen] = useState<RecordView>();
  const view = useNotification(id, asOf);
  const history = useRecords(id);
  const records = history.data?.items ?? [];
  const missing = history.error instanceof Refusal ? history.error.missingScope : undefined;
  return (
    <Page title={view.data?.subject ?? 'Notification'} aside={<code>{id}</code>}>
      <Answer to={view} otherwise={{ 404: unknown }}>
        {(notification) => (
          <>
            <Section title="What became of it">
              <Summary of={notification} />
              {asOf === undefined && notification.completedAt === null && <Cancel id={id} />}
              <History id={id} records={records} asOf={asOf} onPick={setAsOf} />
            </Section>
            <div className="columns">
              <div>
                <Section title="Why it was sent, or was not">
                  <Decision of={notification} />
                </Section>
                <Section title="Attempts">
                  <Attempts of={notification} records={upTo(records, asOf)} />
                </Section>
              </div>
              <Section title="What it said">
                <Said id={id} />
              </Section>
            </div>
          </>
        )}
      </Answer>
      {missing !== undefined && (
        <Section title="Every record">
          <MissingScope scope={missing} />
        </Section>
      )}
      {records.length > 0 && (
        <>
          <Section title="What led to what">
            <Suspense fallback={<p role="status">Loading</p>}>
              <CausationGraph records={records} asOf={asOf} onOpen={setOpen} />
            </Suspense>
          </Section>
          <Section title="Every record">
            <RecordRows records={records} onOpen={setOpen} />
          </Section>
        </>
      )}
      <RecordDialog title={open?.type ?? ''} record={open} onClose={() => setOpen(undefined)} />
    </Page>
  );
}

function upTo(records: readonly RecordView[], asOf: string | undefined): readonly RecordView[] {
  return asOf === undefined ? records : records.filter(({ position }) => BigInt(position) <= BigInt(asOf));
}
