import type { Sender } from '#libs/channel/email';
import { deriveId } from '#libs/kernel';
import type { DeliveryPolicy } from '#libs/runtime';
import { chooseChannels, type Channel, type RecipientState } from '#libs/recipient';
import type { SendNotification } from '../operations/client.js';
import type { ChannelOutcome, Decision, PreparedOperation } from './contents.js';
import type { Resolution } from './notification.js';
import { rfc3339 } from './time.js';

/** How notifications are delivered: part of the topology's configuration. */
export interface DeliveryRules {
  /** How long delivery may take where the client sets no `expiresAt`, in milliseconds. */
  readonly window: number;
  /** What to do with an attempt that may or may not have had its effect, by category; `default` for the others. */
  readonly policy: { readonly default: DeliveryPolicy; readonly [category: string]: DeliveryPolicy };
}

/** What resolving needs to know; nothing is looked up. */
export interface ResolutionInput {
  /** Id of the record that asks: operation ids follow from it. */
  readonly cause: string;
  readonly operation: SendNotification;
  readonly recipient: RecipientState;
  /** Revision of the recipient's event stream. */
  readonly recipientRevision: bigint | 'noStream';
  /** When the message is dated. */
  readonly date: string;
  readonly notAfter: string;
  /** Who mail is from. */
  readonly sender: Sender;
  readonly rules: DeliveryRules;
}

/** Channels that this version can send on. */
const available: ReadonlySet<Channel> = new Set(['email']);

/** A worker's lease and a margin: an outcome may come that much after the last moment at which an attempt may begin. */
const settleTime = 60_000;

/** Whom to tell, on which channels, with which complete operations: decided once, from the input alone. */
export function resolve(input: ResolutionInput): Resolution {
  const { operation, recipient, recipientRevision } = input;
  if (recipient.status !== 'known') {
    const reason = recipient.status === 'erased' ? 'recipientErased' : 'unknownRecipient';
    return { type: 'notification.failed.v1', data: { reason, decision: null, outcomes: [] } };
  }
  const { channels: addresses, preferences } = recipient.profile;
  const { category, severity } = operation;
  const reachable = (Object.keys(addresses) as Channel[]).filter((channel) => addresses[channel] !== undefined);
  const choice = chooseChannels(reachable, preferences, category, severity);
  const decision: Decision = {
    recipientRevision: String(recipientRevision),
    preference: choice.source,
    severity,
    category,
  };
  const channels = choice.channels.map((one) => ({ channel: one.channel, outcome: outcomeOf(one) }));
  if (choice.optedOutOfAll || (channels.length > 0 && channels.every(isOptOut))) {
    return { type: 'notification.opted-out.v1', data: { decision, channels } };
  }
  const operations = channels
    .filter(({ outcome }) => outcome === 'prepared')
    .map(({ channel }, index) => prepareEmail(input, addresses[channel]!, index));
  if (operations.length === 0) {
    return { type: 'notification.failed.v1', data: { reason: 'noUsableChannel', decision, outcomes: [] } };
  }
  const deadline = rfc3339(Date.parse(input.notAfter) + settleTime);
  return { type: 'notification.prepared.v1', data: { decision, channels, operations, deadline } };
}

function outcomeOf(choice: ReturnType<typeof chooseChannels>['channels'][number]): ChannelOutcome {
  if (!choice.use) return choice.reason;
  return available.has(choice.channel) ? 'prepared' : 'notAvailable';
}

function isOptOut({ outcome }: { readonly outcome: ChannelOutcome }): boolean {
  return outcome === 'notChosen' || outcome === 'belowMinSeverity';
}

function prepareEmail(
  { cause, operation, date, notAfter, sender, rules, recipient }: ResolutionInput,
  address: NonNullable<PreparedOperation['operation']['to'][number]['address']>,
  ordinal: number,
): PreparedOperation {
  const name = recipient.status === 'known' ? recipient.profile.displayName : null;
  const delivery = Object.hasOwn(rules.policy, operation.category)
    ? rules.policy[operation.category]!
    : rules.policy.default;
  return {
    id: deriveId(cause, 'email', ordinal),
    channel: 'email',
    type: 'SendEmail',
    operation: { sender, to: [{ address, name }], content: operation.content, date, notAfter, delivery },
  };
}
