import type { Logger } from 'pino';
import type { ReadinessCheck } from '#libs/http';
import { messageOf } from '#libs/kernel';
import type { Runtime, Sharing } from '#libs/runtime';
import { StoreUnavailable, type EventStore } from '#libs/store/port';

/**
 * Starts the consumers. Where the store is away they start when it is there, and nobody waits for that here: the API says
 * meanwhile what is missing.
 */
export async function startConsumers(runtime: Runtime<never>, store: EventStore, log: Logger): Promise<ReadinessCheck> {
  const starting = runtime.start();
  let trouble: string | undefined;
  try {
    await store.head();
    await starting;
  } catch (error) {
    if (!(error instanceof StoreUnavailable) || error.final) throw error;
    trouble = 'waiting for the store';
    starting.then(
      () => (trouble = undefined),
      (thrown: unknown) => {
        trouble = `not started: ${messageOf(thrown)}`;
        log.error({ error: messageOf(thrown) }, 'the consumers cannot be started; start the server again');
      },
    );
  }
  return {
    name: 'consumers',
    check: () => {
      const failed = runtime.status().filter(({ state }) => state === 'failed');
      const wrong = failed.length > 0 ? `stopped: ${failed.map(({ name }) => name).join(', ')}` : trouble;
      const detail = wrong ?? runtime.trouble;
      if (detail !== undefined) return { status: 'down', detail };
      const sharing = runtime.sharing();
      return { status: 'up', ...(sharing && { detail: sharingDetail(sharing) }) };
    },
  };
}

function sharingDetail({ held, members }: Sharing): string {
  return `one of ${members.length} members; has ${held.length === 0 ? 'no slots' : held.join(', ')}`;
}

/** Up while the store answers. */
export function storeCheck(store: EventStore): ReadinessCheck {
  return {
    name: 'store',
    check: async () => {
      try {
        await store.head();
        return { status: 'up' };
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        return { status: 'down', detail: error.message };
      }
    },
  };
}
