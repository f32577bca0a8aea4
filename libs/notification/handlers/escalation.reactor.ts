import type { Sender } from '#libs/channel/email';
import { InvalidRecord, type RecordOf } from '#libs/kernel';
import { defineReactor, type StreamReader } from '#libs/runtime';
import { channelEvents, channelStreams, type ChannelEvents } from '../channels.js';
import type { OperationOutcome } from '../event/contents.js';
import { isOnlyCancelled, notificationEvents } from '../event/notification.js';
import { notificationInternalOperations, type EscalatedReason } from '../operations/internal.js';
import { askForEscalation } from './ask-for-escalation.js';

export interface EscalationReactorServices {
  /** Whom to tell of failures; undefined: nobody. */
  readonly teamEmail: Sender | undefined;
}

/** Asks for the team to be told of a notification that failed. A mail to the team is no notification: it never gets here. */
export const escalationReactor = defineReactor({
  name: 'notification.escalation-reactor',
  reads: [notificationEvents],
  looksUp: [notificationInternalOperations, ...channelEvents],
  writes: [notificationInternalOperations],
  create: ({ teamEmail }: EscalationReactorServices) => ({
    async handle(record, context) {
      const failure = teamEmail && failureIn(record);
      if (!failure) return;
      const data = {
        reason: failure.reason,
        codes: await codesOf(failure.outcomes, context),
        failedAt: new Date(record.created).toISOString(),
        notificationRevision: String(record.revision),
      };
      await askForEscalation(data, context);
    },
  }),
});

interface Failure {
  readonly reason: EscalatedReason;
  readonly outcomes: readonly OperationOutcome[];
}

/** What somebody wished for is no failure. */
function failureIn({ type, data }: RecordOf<typeof notificationEvents>): Failure | undefined {
  if (type === 'notification.partially-sent.v1') {
    return isOnlyCancelled(data.outcomes) ? undefined : { reason: 'partiallySent', outcomes: data.outcomes };
  }
  if (type !== 'notification.failed.v1' || data.reason === 'recipientErased') return undefined;
  return { reason: data.reason, outcomes: data.outcomes };
}

async function codesOf(outcomes: readonly OperationOutcome[], reader: StreamReader<ChannelEvents>): Promise<string[]> {
  const failed = outcomes.filter(({ status }) => status === 'failed');
  return [...new Set(await Promise.all(failed.map((outcome) => codeOf(outcome, reader))))];
}

/** What the other side answered, else where it got stuck, else why it was given up. */
async function codeOf(outcome: OperationOutcome, reader: StreamReader<ChannelEvents>): Promise<string> {
  const failure = await lastFailure(outcome, reader);
  return `${outcome.channel} ${failure?.code ?? failure?.stage ?? outcome.reason ?? 'failed'}`;
}

async function lastFailure({ channel, operationId }: OperationOutcome, reader: StreamReader<ChannelEvents>) {
  try {
    const last = await reader.last(channelStreams[channel].events, operationId);
    return last && 'failure' in last.data ? last.data.failure : null;
  } catch (error) {
    // The team is told all the same.
    if (error instanceof InvalidRecord) return null;
    throw error;
  }
}
