import type { BroadcastView } from '#libs/broadcast';
import type { Context } from '../command.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';
import { waitForEnd } from './notifications.js';

/** Shows a broadcast at its end, or when the time is over. @param path where it is read */
export async function showBroadcast({ api, output }: Context, path: string, seconds: number): Promise<ExitCode> {
  const answer = await waitForEnd<BroadcastView>(api, path, seconds);
  output.answer(answer, ({ id, status, reason, recipients, counts, requestedAt, completedAt }) => [
    output.details({
      id,
      status,
      reason,
      recipients: recipients === null ? null : String(recipients),
      counts: Object.entries(counts)
        .filter(([, count]) => count > 0)
        .map(([ending, count]) => `${count} ${ending}`)
        .join(', '),
      requested: requestedAt,
      completed: completedAt,
    }),
  ]);
  const { completedAt, status, counts, recipients } = answer.body;
  if (completedAt === null) return exitCodes.notYet;
  return status === 'completed' && counts.sent === recipients ? exitCodes.ok : exitCodes.no;
}
