import { Link } from 'wouter';
import type { ChannelStatus, ChannelView, NotificationView } from '#libs/notification';
import { ChannelMark, Status } from '../../parts/chips.js';
import { Facts } from '../../parts/facts.js';

const sources = {
  category: 'their preference for this category',
  default: 'their default preference',
  none: 'no preference: every channel is used',
} as const;

const why: Readonly<Partial<Record<ChannelStatus, string>>> = {
  noAddress: 'the recipient has no address for it',
  addressBounced: 'mail to the address came back: there is no such mailbox',
  bounced: 'it went out and came back',
  notAvailable: 'this installation has no such channel',
  couldNotPrepare: 'its message could not be made',
  discarded: 'it was prepared, and another channel was not',
};

const optOuts = {
  notChosen: 'the preference does not name it',
  belowMinSeverity: 'the severity is below the least one they want there',
} as const;

const reasons: Readonly<Record<string, string>> = {
  unknownRecipient: 'Nobody is known under this recipient id.',
  recipientErased: 'The recipient was erased.',
  recipientUnreadable: 'The records of the recipient cannot be read.',
  noUsableChannel: 'The recipient can be reached on no channel.',
  couldNotPrepare: 'A message could not be made.',
  couldNotSend: 'No channel delivered it.',
  couldNotSendOnAllChannels: 'Some channels delivered it, others did not.',
  deadlineExceeded: 'There was no outcome in time.',
  expired: 'Its time was over before it could be sent.',
  optedOut: 'The recipient does not want to be told of this.',
};

export function Decision({ of: view }: { readonly of: NotificationView }) {
  const { decision, reason, recipientId } = view;
  return (
    <>
      {reason !== null && <p>{reasons[reason] ?? reason}</p>}
      {decision === null ? (
        <p className="nothing">Nothing is decided{view.completedAt === null ? ' yet' : ''}.</p>
      ) : (
        <Facts
          of={{
            'Decided by': decision.preference && sources[decision.preference],
            Recipient: (
              <>
                <Link href={`/recipients/${encodeURIComponent(recipientId)}`}>{recipientId}</Link>
                {decision.recipientRevision !== null && ` at revision ${decision.recipientRevision}`}
              </>
            ),
            Severity: decision.severity,
            Category: decision.category,
            Steps: decision.steps?.map(({ step, source, failures }) => (
              <div key={step}>
                {step} by {source}
                {failures.length > 0 && `: ${failures.join('; ')}`}
              </div>
            )),
          }}
        />
      )}
      <ul className="list">
        {Object.entries(view.channels).map(([name, channel]) => (
          <li key={name}>
            <ChannelMark of={name} /> <Status of={channel.status} /> {explained(channel)}
          </li>
        ))}
      </ul>
    </>
  );
}

function explained({ status, reason, failures }: ChannelView): string {
  const words = reason === undefined ? why[status] : optOuts[reason];
  return [words, ...(failures ?? [])].filter((text) => text !== undefined).join('; ');
}
