import { deriveId } from '#libs/kernel';
import type { Channel } from '#libs/recipient';
import type { DeliveryPolicy } from '#libs/runtime';
import type { Sealed } from '#libs/vault';
import type { SendNotification } from '../operations/client.js';
import type { StepAnswers } from '../steps/ask-steps.js';
import { isReachable, type ChannelConfig, type ChannelOperation } from '../steps/ports.js';
import { judge } from '../steps/step.js';
import type {
  ChannelOutcome,
  Decision,
  FailureReason,
  NotificationFailed,
  PreparedChannel,
  PreparedOperation,
  StepName,
  StepReport,
  StepSource,
} from './contents.js';
import type { Resolution } from './notification.js';
import { rfc3339 } from './time.js';

/** How notifications are delivered: part of the topology's configuration. */
export interface DeliveryRules {
  /** How long delivery may take where the client sets no `expiresAt`, in milliseconds. */
  readonly window: number;
  /** What to do with an attempt that may or may not have had its effect, by category; `default` for the others. */
  readonly policy: { readonly default: DeliveryPolicy; readonly [category: string]: DeliveryPolicy };
  /** What becomes of the other channels when one cannot be prepared: they are sent on, or discarded. */
  readonly onChannelFailure: 'continue' | 'stop';
}

/** What resolving needs to know; nothing is looked up. */
export interface ResolutionInput {
  /** Id of the record that asks: operation ids follow from it. */
  readonly cause: string;
  readonly operation: Pick<SendNotification, 'severity' | 'category'>;
  /** Revision of the recipient's event stream; null: there is none, or nobody has looked. */
  readonly recipientRevision: string | null;
  readonly answers: StepAnswers;
  readonly sources: Readonly<Record<StepName, StepSource>>;
  readonly notAfter: string;
  readonly onChannelFailure: DeliveryRules['onChannelFailure'];
}

/** A worker's lease and a margin: an outcome may come that much after the last moment at which an attempt may begin. */
const settleTime = 60_000;

/** Whom to tell, on which channels, with which complete operations: decided once, from what the steps answered. */
export function resolve(input: ResolutionInput): Resolution {
  const { cause, answers, onChannelFailure } = input;
  const audience = judge(answers.audience);
  if (!audience.use) {
    const { reason, error } = answers.audience;
    return failed(input, reason ?? `${audience.why}Audience`, error === undefined ? {} : { error });
  }
  const configs = judge(answers.channels!);
  if (!configs.use) return failed(input, answers.channels!.reason ?? `${configs.why}ChannelConfigs`);

  const judged = configs.payload.map((config) => judgeChannel(config, answers));
  const isStopped = onChannelFailure === 'stop' && judged.some(({ outcome }) => outcome === 'couldNotPrepare');
  const channels = judged.map((one) => channelOf(one, isStopped));
  if (channels.every(isOptOut)) {
    return { type: 'notification.opted-out.v1', data: { decision: decisionOn(input), channels } };
  }
  if (answers.prepared.size === 0) return failed(input, 'noUsableChannel', { channels });
  const operations = isStopped ? [] : judged.flatMap((one) => withIds(cause, one.operations));
  if (operations.length === 0) {
    const areErased = [...answers.prepared.values()].every(({ reason }) => reason === 'recipientErased');
    return failed(input, areErased ? 'recipientErased' : 'couldNotPrepare', { channels });
  }
  const deadline = rfc3339(Date.parse(input.notAfter) + settleTime);
  return { type: 'notification.prepared.v1', data: { decision: decisionOn(input), channels, operations, deadline } };
}

interface JudgedChannel {
  readonly channel: Channel;
  readonly outcome: ChannelOutcome;
  readonly failures: readonly Sealed[];
  readonly operations: readonly ChannelOperation[];
}

function judgeChannel(config: ChannelConfig, { prepared }: StepAnswers): JudgedChannel {
  const { channel, optedOut, unusable } = config;
  if (!isReachable(config)) {
    return { channel, outcome: optedOut ?? unusable ?? 'noAddress', failures: [], operations: [] };
  }
  const verdict = judge(prepared.get(channel)!);
  return verdict.use
    ? { channel, outcome: 'prepared', failures: verdict.failures, operations: verdict.payload }
    : { channel, outcome: 'couldNotPrepare', failures: verdict.failures, operations: [] };
}

function channelOf({ channel, outcome, failures }: JudgedChannel, isStopped: boolean): PreparedChannel {
  const result = { channel, outcome: isStopped && outcome === 'prepared' ? 'discarded' : outcome };
  return failures.length === 0 ? result : { ...result, failures: [...failures] };
}

function isOptOut({ outcome }: PreparedChannel): boolean {
  return outcome === 'notChosen' || outcome === 'belowMinSeverity';
}

function withIds(cause: string, operations: readonly ChannelOperation[]): PreparedOperation[] {
  return operations.map((one, ordinal) => ({ id: deriveId(cause, one.channel, ordinal), ...one }));
}

function failed(
  input: ResolutionInput,
  reason: FailureReason,
  more: Pick<NotificationFailed, 'channels' | 'error'> = {},
): Resolution {
  return { type: 'notification.failed.v1', data: { reason, decision: decisionOn(input), ...more, outcomes: [] } };
}

function decisionOn({ operation, recipientRevision, answers, sources }: ResolutionInput): Decision {
  const { severity, category } = operation;
  const preference = answers.channels?.preference ?? null;
  const steps: StepReport[] = [];
  const report = (step: StepName, failures: readonly Sealed[]) => {
    if (sources[step] !== 'tidings' || failures.length > 0) {
      steps.push({ step, source: sources[step], failures: [...failures] });
    }
  };
  report('audience', answers.audience.failures);
  if (answers.channels !== null) report('channels', answers.channels.failures);
  if (answers.prepared.size > 0) report('prepare', []);
  const decision = { recipientRevision, preference, severity, category };
  return steps.length === 0 ? decision : { ...decision, steps };
}
