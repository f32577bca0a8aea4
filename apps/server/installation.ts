import { setTimeout as delay } from 'node:timers/promises';
import { newId, parse, streamName } from '#libs/kernel';
import { runtimeInstallations } from '#libs/runtime';
import { StoreUnavailable, StoreUnusable, WrongExpectedRevision, type EventStore } from '#libs/store/port';
import { installationKeyOwner, type DataKey, type Forget, type KeyStore, type KeyWatch } from '#libs/vault';

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
      if (noted === undefined) {
        if (await this.note((await this.keys.keyFor(installationKeyOwner)).id)) break;
      } else {
        // None is made for the comparison: a store that has none is another one.
        const [own] = await this.keys.idsOf(installationKeyOwner);
        if (own === noted) break;
        throw new StoreUnusable(
          'the personal data of this event store is sealed with keys that are kept elsewhere: ' +
            `it belongs to the key store ${noted}, and this one is ${own ?? 'new'} ` +
            '(see TIDINGS_KEYS_URL, TIDINGS_DATA_DIR and docs/shared-stores.md)',
        );
      }
    }
    this.confirmed = true;
  }

  private async noted(): Promise<string | undefined> {
    let noted: string | undefined;
    for await (const record of this.store.readStream(stream, { direction: 'backwards', limit: 1 })) {
      noted = parse(runtimeInstallations, record).data.keyStore;
    }
    return noted;
  }

  /** False where another process was quicker. */
  private async note(keyStore: string): Promise<boolean> {
    const event = { id: newId(), type: 'runtime.key-store-noted.v1', data: { keyStore } };
    try {
      await this.store.append(stream, 'noStream', [event]);
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
