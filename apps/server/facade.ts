import type { Logger } from 'pino';
import { messageOf } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import type { Settings } from './settings/index.js';

export interface RunningFacade {
  /** As EventStoreDB's clients take it. */
  readonly url: string;
  close(): Promise<void>;
}

/** Lets EventStoreDB's clients read the store, where the settings say so. @throws the error of a port that cannot be listened on */
export async function openFacade(
  settings: Settings,
  store: EventStore,
  log: Logger,
): Promise<RunningFacade | undefined> {
  const { facade: address, facadeCertificate: cert, facadeKey: key, facadeUser: name, facadePassword } = settings;
  if (address === undefined) return undefined;
  // The protocol's classes take a while to load, and most installations do without.
  const { startFacade } = await import('#libs/store/facade');
  const hasTls = cert !== undefined && key !== undefined;
  const { port, close } = await startFacade(store, {
    ...address,
    writable: false,
    ...(hasTls && { tls: { cert, key } }),
    ...(name !== undefined && facadePassword !== undefined && { users: [{ name, password: facadePassword }] }),
    onError: (error) => log.error({ error: messageOf(error) }, 'the facade failed at a call'),
  });
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return { url: `esdb://${host}:${port}${hasTls ? '' : '?tls=false'}`, close };
}
