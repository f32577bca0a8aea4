/**
 * The facade's own process. Others may replay the whole store through it: what that costs must not be the server's time, so
 * it has an event loop of its own and steps back where both want the same core.
 */
import { setPriority } from 'node:os';
import { messageOf } from '#libs/kernel';
import { Pace, startFacade, type Facade } from '#libs/store/facade';
import { followSqliteStore, type SqliteFollower } from '#libs/store/sqlite';
import type { FromFacade, StartOptions, ToFacade } from './messages.js';

/** Of 0 to 19, the higher the later its turn. */
const niceness = 19;

const pace = new Pace();
let store: SqliteFollower | undefined;
let facade: Facade | undefined;

function tell(message: FromFacade): void {
  process.send?.(message);
}

async function start(directory: string, head: bigint, options: StartOptions): Promise<void> {
  try {
    store = await followSqliteStore(directory, head);
    const onError = (error: unknown) => tell({ kind: 'failed', error: messageOf(error) });
    facade = await startFacade(store, { ...options, writable: false, pace, onError });
    tell({ kind: 'listening', port: facade.port });
  } catch (error) {
    tell({ kind: 'refused', error: messageOf(error) });
  }
}

async function close(): Promise<void> {
  await facade?.close();
  await store?.close();
  process.exit();
}

setPriority(niceness);
// The server decides when it ends, also where a terminal sends the signal to both.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit());
process.on('message', (message: ToFacade) => {
  if (message.kind === 'head') store?.advance(message.head);
  else if (message.kind === 'share') pace.share = message.share;
  else if (message.kind === 'start') void start(message.directory, message.head, message.options);
  else void close();
});
