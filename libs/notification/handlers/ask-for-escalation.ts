import type { HandlerContext } from '#libs/runtime';
import { WrongExpectedRevision } from '#libs/store/port';
import { notificationInternalOperations, type NotifyInternalTeam } from '../operations/internal.js';

type Context = HandlerContext<typeof notificationInternalOperations, typeof notificationInternalOperations>;

/**
 * Asks once for the team to be told of the notification at hand for that reason. Most notifications have no internal
 * operation yet; that of a broadcast's member has one.
 */
export async function askForEscalation(data: NotifyInternalTeam, context: Context): Promise<void> {
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
    const isAsked = before.some(
      (one) => one.type === 'notification.notify-internal-team.v1' && one.data.reason === data.reason,
    );
    if (!isAsked) await askAfter(before.at(-1)!.revision);
  }
}
