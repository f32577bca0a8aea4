import type { Logger } from 'pino';
import { bounceClient, BounceIntake, startBounceListener } from '#libs/channel/email';
import { messageOf } from '#libs/kernel';
import { openClient } from '#libs/runtime';
import type { Tracing } from '#libs/tracing';
import type { Metrics } from './metrics/metrics.js';
import type { Parts } from './parts.js';
import type { Settings } from './settings/index.js';

export interface RunningBounceListener {
  /** `smtp://host:port` */
  readonly url: string;
  close(): Promise<void>;
}

/** What takes reports of mails that came back, counted and logged. */
export function createBounceIntake(
  { store, vault, contents, bounces }: Parts,
  metrics: Metrics,
  tracing: Tracing | undefined,
  log: Logger,
): BounceIntake {
  const client = openClient(store, bounceClient);
  return new BounceIntake({
    client: tracing?.client(client) ?? client,
    vault,
    contents,
    bounces,
    observe: (kind, operationId) => {
      metrics.countBounce(kind);
      log.info({ kind, ...(operationId !== null && { operationId }) }, 'a report about a mail');
    },
  });
}

/** Takes mail that comes back over SMTP, where the settings say so. @throws the error of a port that cannot be listened on */
export async function openBounceListener(
  { bounceListen: address }: Settings,
  { bounces }: Parts,
  intake: BounceIntake,
  metrics: Metrics,
  log: Logger,
): Promise<RunningBounceListener | undefined> {
  if (address === undefined || bounces === undefined) return undefined;
  const { port, close } = await startBounceListener({
    ...address,
    bounces,
    intake,
    onRefused: () => metrics.countBounce('refused'),
    onError: (error) => log.error({ error: messageOf(error) }, 'a mail that came back could not be taken'),
  });
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return { url: `smtp://${host}:${port}`, close };
}
