import type { RecordView } from '#libs/http';
import type { NotificationView, OperationView } from '#libs/notification';
import { Nothing } from '../../parts/answer.js';
import { ChannelMark, Status } from '../../parts/chips.js';
import { Download } from '../../parts/download.js';
import { Facts } from '../../parts/facts.js';
import { Time } from '../../parts/time.js';

interface AttemptsProps {
  readonly of: NotificationView;
  readonly records: readonly RecordView[];
}

/** Each operation with what was tried for it. */
export function Attempts({ of: { channels }, records }: AttemptsProps) {
  const operations = Object.entries(channels).flatMap(([channel, { operations: all }]) =>
    all.map((operation) => ({ channel, operation })),
  );
  if (operations.length === 0) return <Nothing>Nothing was to be sent.</Nothing>;
  return operations.map(({ channel, operation }) => (
    <Operation
      key={operation.id}
      channel={channel}
      operation={operation}
      records={records.filter(({ stream }) => stream === `${channel}.event-${operation.id}`)}
    />
  ));
}

interface OperationProps {
  readonly channel: string;
  readonly operation: OperationView;
  readonly records: readonly RecordView[];
}

function Operation({ channel, operation, records }: OperationProps) {
  const { type, status, to, attempts, error, inDoubt, late, message, bounced, delayed } = operation;
  return (
    <article aria-label={`${type} to ${to}`}>
      <p className="actions">
        <ChannelMark of={channel} />
        <Status of={status} />
        <span className="mono">{type}</span>
      </p>
      <Facts
        of={{
          To: to,
          Attempts: attempts,
          Error:
            error && [error.reason, error.stage, error.code, error.message].filter((part) => part != null).join(' · '),
          'In doubt': inDoubt && 'whether it was delivered is not known',
          Late: late && 'its outcome came after the notification had ended',
          'Came back': bounced && <Reports of={bounced} />,
          Delayed: delayed && <Reports of={delayed} />,
          Kept: message && (
            <Download path={message} fileName={channel === 'email' ? 'mail.eml' : 'message.json'}>
              what would have gone out
            </Download>
          ),
        }}
      />
      <ol className="list">
        {records.map(({ id, occurredAt, type: what, data }) => (
          <li key={id}>
            <Time at={occurredAt} /> <span className="mono">{what}</span> {attemptOf(data)}
          </li>
        ))}
      </ol>
    </article>
  );
}

/** What mail servers said later on, one line for each address. */
function Reports({ of }: { readonly of: NonNullable<OperationView['bounced']> }) {
  return of.map(({ role, address, status, diagnostic, at }) => (
    <div key={`${role} ${address} ${at}`}>
      {address} ({role}) · {[status, diagnostic].filter((part) => part !== null).join(' · ')} · <Time at={at} />
    </div>
  ));
}

function attemptOf(data: unknown): string {
  const { attempt, failure } = data as { readonly attempt?: number; readonly failure?: { readonly message?: string } };
  return [attempt === undefined ? '' : `attempt ${attempt}`, failure?.message].filter(Boolean).join(': ');
}
