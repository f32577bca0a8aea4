import { Link } from 'wouter';
import type { NotificationView } from '#libs/notification';
import { SeverityMark, Status } from '../../parts/chips.js';
import { Facts } from '../../parts/facts.js';
import { durationText, Time } from '../../parts/time.js';

export function Summary({ of: view }: { readonly of: NotificationView }) {
  const { status, severity, recipientId, category, requestedAt, completedAt, deliverAt, about, tags } = view;
  const took = completedAt === null ? null : Date.parse(completedAt) - Date.parse(requestedAt);
  return (
    <>
      <p className="actions">
        <Status of={status} />
        <SeverityMark of={severity} />
        {view.sandbox && (
          <span className="chip" data-tone="planned">
            in the sandbox, at least in part
          </span>
        )}
      </p>
      <Facts
        of={{
          Reason: view.reason,
          Recipient: <Link href={`/recipients/${encodeURIComponent(recipientId)}`}>{recipientId}</Link>,
          Category: category,
          Requested: <Time at={requestedAt} />,
          'To be delivered': deliverAt && <Time at={deliverAt} />,
          Ended: completedAt && (
            <>
              <Time at={completedAt} /> {took !== null && <span className="dimmed">after {durationText(took)}</span>}
            </>
          ),
          About: about && [about.entityType, about.entityId, about.processId].filter(Boolean).join(' '),
          Tags: Object.keys(tags).length > 0 && <Tags of={tags} />,
          Broadcast: view.broadcastId,
          'Team told': view.escalation && <Time at={view.escalation.at} />,
        }}
      />
    </>
  );
}

function Tags({ of: tags }: { readonly of: Readonly<Record<string, string>> }) {
  return (
    <span className="actions">
      {Object.entries(tags).map(([name, value]) => (
        <Link key={name} href={`/notifications?${new URLSearchParams({ tag: `${name}:${value}` })}`}>
          {name}: {value}
        </Link>
      ))}
    </span>
  );
}
