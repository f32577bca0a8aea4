import type { Channel, PreferenceSource, RecipientState } from '#libs/recipient';
import type { DeliveryPolicy, Loaded } from '#libs/runtime';
import type { Sealed } from '#libs/vault';
import type { PreparedOperation, StepSource } from '../event/contents.js';
import type { SendNotification } from '../operations/client.js';
import type { StepAnswer } from './step.js';

/** The notification that steps are asked about. */
export interface StepRequest {
  /** The tracking id. */
  readonly notificationId: string;
  readonly operation: SendNotification;
  /** When the message is dated, RFC 3339. */
  readonly date: string;
  /** No attempt begins later, RFC 3339. */
  readonly notAfter: string;
  readonly delivery: DeliveryPolicy;
  /** Aborted when the process stops: the step is asked again after the restart. */
  readonly signal: AbortSignal;
  /** The recipient as Tidings knows them; read when it is first asked for. */
  recipient(): Promise<Loaded<RecipientState>>;
}

/** Who is told. */
export interface Audience {
  readonly displayName: Sealed | null;
}

/** How somebody can be told on one channel. */
export interface ChannelConfig {
  readonly channel: Channel;
  /** The sealed address there; null: there is none. */
  readonly to: Sealed | null;
  /** Why they do not want to be told there; absent where they do. */
  readonly optedOut?: 'notChosen' | 'belowMinSeverity';
  /** Why their address there, which `to` leaves out, cannot be used. */
  readonly unusable?: 'addressBounced';
}

/** A channel on which somebody is told. */
export type ReachableChannel = ChannelConfig & { readonly to: Sealed };

/** True for a channel that somebody has and wants. */
export function isReachable(config: ChannelConfig): config is ReachableChannel {
  return config.to !== null && config.optedOut === undefined;
}

export interface ChannelConfigsAnswer extends StepAnswer<readonly ChannelConfig[]> {
  /** Which of the recipient's preferences decided; absent where none was looked at. */
  readonly preference?: PreferenceSource;
}

type WithoutId<Operation> = Operation extends unknown ? Omit<Operation, 'id'> : never;

/** A channel operation that has no id yet. */
export type ChannelOperation = WithoutId<PreparedOperation>;

/** Who answers a step. One that throws, or answers null, has failed: the error's text becomes its one failure. */
interface Step {
  readonly source: StepSource;
}

/** Finds out who is told. */
export interface AudienceResolver extends Step {
  resolveAudience(request: StepRequest): Promise<StepAnswer<Audience>>;
}

/** Finds out on which channels, in the order of preference, each named once. */
export interface ChannelConfigResolver extends Step {
  resolveChannels(request: StepRequest, audience: Audience): Promise<ChannelConfigsAnswer>;
}

/** Makes the operations of one channel, complete and in the order in which they are to be enqueued. */
export interface ChannelPreparer extends Step {
  prepare(
    request: StepRequest,
    audience: Audience,
    channel: ReachableChannel,
  ): Promise<StepAnswer<readonly ChannelOperation[]>>;
}

/** The three steps that come before the decision. */
export interface Steps {
  readonly audience: AudienceResolver;
  readonly channels: ChannelConfigResolver;
  readonly prepare: ChannelPreparer;
}
