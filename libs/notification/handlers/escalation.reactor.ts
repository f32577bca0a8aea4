import type { Sender } from '#libs/channel/email';
import { InvalidRecord, type RecordOf } from '#libs/kernel';
import { defineReactor, type HandlerContext, type StreamReader } from '#libs/runtime';
import { WrongExpectedRevision } from '#libs/store/port';
import { channelEvents, channelStreams, type ChannelEvents } from '../channels.js';
import type { OperationOutcome } from '../event/contents.js';
import { isOnlyCancelled, notificationEvents } from '../event/notification.js';
import {
  notificationInternalOperations,
  type EscalatedReason,
  type NotifyInternalTeam,
} from '../operations/internal.js';

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
      await ask(data, context);
    },
  }),
});

type Context = HandlerContext<
  typeof notificationInternalOperations | ChannelEvents,
  typeof notificationInternalOperations
>;

/** Most notifications have no internal operation yet; that of a broadcast's member has one. */
async function ask(data: NotifyInternalTeam, context: Context): Promise<void> {
  const id = context.correlationId;
  const askAfter = (revision: bigint | 'noStream') =>
    context.append(
      context.write(notificationInternalOperations, id, revision, [
        { type: 'notification.notify-internal-team.v1', data },
      ]),
    );
  try {
    await askAfter('noStream');
  } catch (error) {
    if (!(error instanceof WrongExpectedRevision)) throw error;
    const before = await context.read(notificationInternalOperations, id);
    const isAsked = before.some(({ type }) => type === 'notification.notify-internal-team.v1');
    if (!isAsked) await askAfter(before.at(-1)!.revision);
  }
}

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
