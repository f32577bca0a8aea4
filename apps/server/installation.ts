import { setTimeout as delay } from 'node:timers/promises';
import type { ReadinessCheck } from '#libs/http';
import { newId, parse, streamName } from '#libs/kernel';
import { notificationClientOperations } from '#libs/notification';
import { recipientEvents } from '#libs/recipient';
import { runtimeInstallations } from '#libs/runtime';
import {
  StoreUnavailable,
  StoreUnusable,
  WrongExpectedRevision,
  type EventStore,
  type ExpectedRevision,
} from '#libs/store/port';
import {
  type DataKey,
  type Forget,
  installationKeyOwner,
  type KeyStore,
  type KeyWatch,
  sealedPrefix,
} from '#libs/vault';

const stream = streamName(runtimeInstallations, 'keys');

/** In milliseconds. */
const shortestPause = 100;
const longestPause = 5_000;

/**
 * The keys of an event store. Which ones those are, the event store says: the first process notes the id of its key store
 * there. Until that has been compared, nobody gets a key: what would be sealed under another installation's keys, nobody
 * could ever open, and an erasure would not reach it.
 */
export class InstallationKeys implements KeyStore {
  readonly watch?: (forget: Forget) => KeyWatch;
  private confirmed = false;
  private problem = 'the event store has not said yet whether these are its keys';
  private readonly stopping = new AbortController();
  private confirming: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: EventStore,
    private readonly keys: KeyStore,
    /** Id of a key store to go on with though the event store says otherwise: its own is lost. */
    private readonly accepted?: string,
  ) {
    if (keys.watch) this.watch = keys.watch.bind(keys);
  }

  /**
   * Compares; where a store is away, as soon as it is there, and nobody waits for that here.
   * @param failed told when these turn out, later, to be another event store's keys
   * @throws StoreUnusable where they are another event store's
   */
  async confirm(failed: (error: StoreUnusable) => void): Promise<void> {
    try {
      await this.compare();
    } catch (error) {
      if (!isAway(error)) throw error;
      this.confirming = this.confirmLater(failed);
    }
  }

  /** Down while it is not known whose keys these are; else what the key store says of itself. */
  readiness({ name, check }: ReadinessCheck): ReadinessCheck {
    return {
      name,
      check: async () => {
        const found = await check();
        return found.status === 'up' && !this.confirmed ? { status: 'down', detail: this.problem } : found;
      },
    };
  }

  keyFor(owner: string): Promise<DataKey> {
    // What is the installation's own is nobody's personal data.
    return owner.startsWith('installation/') ? this.keys.keyFor(owner) : this.open(() => this.keys.keyFor(owner));
  }

  find(keyId: string): Promise<DataKey | undefined> {
    return this.open(() => this.keys.find(keyId));
  }

  idsOf(owner: string): Promise<readonly string[]> {
    return this.open(() => this.keys.idsOf(owner));
  }

  destroy(keyIds: readonly string[]): Promise<number> {
    return this.open(() => this.keys.destroy(keyIds));
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.confirming;
    await this.keys.close();
  }

  private open<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    return this.confirmed ? ask() : Promise.reject(new StoreUnavailable(this.problem));
  }

  private async confirmLater(failed: (error: StoreUnusable) => void): Promise<void> {
    const { signal } = this.stopping;
    for (let pause = shortestPause; !signal.aborted; pause = Math.min(pause * 2, longestPause)) {
      await delay(pause, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        return await this.compare();
      } catch (error) {
        if (isAway(error)) continue;
        const unusable = error instanceof StoreUnusable ? error : new StoreUnusable(String(error));
        this.problem = unusable.message;
        return failed(unusable);
      }
    }
  }

  private async compare(): Promise<void> {
    for (;;) {
      const noted = await this.noted();
      const [known] = await this.keys.idsOf(installationKeyOwner);
      const own = known ?? (await this.keys.keyFor(installationKeyOwner)).id;
      if (noted?.keyStore === own) break;
      // Versions that noted nothing made this key before they sealed anything of anybody's.
      const isElsewhere = noted !== undefined || (known === undefined && (await this.holdsSealedData()));
      if (isElsewhere && own !== this.accepted) {
        throw new StoreUnusable(
          'the personal data of this event store is sealed with keys that are kept elsewhere: ' +
            `${noted ? `in the key store ${noted.keyStore}, not in` : 'not in the new key store'} ${own} ` +
            '(see TIDINGS_KEYS_URL, TIDINGS_DATA_DIR and docs/shared-stores.md)',
        );
      }
      if (await this.note(own, noted?.revision ?? 'noStream')) break;
    }
    this.confirmed = true;
  }

  private async noted(): Promise<{ readonly keyStore: string; readonly revision: bigint } | undefined> {
    for await (const record of this.store.readStream(stream, { direction: 'backwards', limit: 1 })) {
      const { data, revision } = parse(runtimeInstallations, record);
      if ('keyStore' in data) return { keyStore: data.keyStore, revision };
    }
    return undefined;
  }

  private async holdsSealedData(): Promise<boolean> {
    const filter = { categories: [recipientEvents.category, notificationClientOperations.category] };
    for await (const { data } of this.store.readAll({ limit: 10, filter })) {
      if (JSON.stringify(data).includes(sealedPrefix)) return true;
    }
    return false;
  }

  /** False where another process was quicker. */
  private async note(keyStore: string, expected: ExpectedRevision): Promise<boolean> {
    const event = { id: newId(), type: 'runtime.key-store-noted.v1', data: { keyStore } };
    try {
      await this.store.append(stream, expected, [event]);
      return true;
    } catch (error) {
      if (error instanceof WrongExpectedRevision) return false;
      throw error;
    }
  }
}

function isAway(error: unknown): boolean {
  return error instanceof StoreUnavailable && !error.final;
}
