import type { Logger } from 'pino';
import { FolderBlobStore, openS3Blobs, type BlobStore } from '#libs/blob';
import type { ReadinessCheck } from '#libs/http';
import { StoreUnavailable, StoreUnusable } from '#libs/store/port';
import { openRedisKeys, SqliteKeyStore, type KeyStore } from '#libs/vault';
import type { Settings } from './settings/index.js';

/** Where keys or blobs are kept. */
export interface Opened<Store> {
  readonly store: Store;
  /** Of what is somewhere else; undefined of what is in the data directory. */
  readonly check?: ReadinessCheck;
  close(): Promise<void> | void;
}

/** The keys, in the data directory or in Redis, which need not be there yet. @throws StoreUnusable */
export async function openKeyStore({ dataDir, keys, keysCa }: Settings, log: Logger): Promise<Opened<KeyStore>> {
  if (keys === undefined) {
    const store = await SqliteKeyStore.open(dataDir);
    return { store, close: () => store.close() };
  }
  const store = await openRedisKeys({
    connection: keys,
    ca: keysCa,
    log: {
      unreachable: (server, error) => log.warn({ server, error }, 'the key store does not answer; it is tried again'),
      reachable: (server) => log.info({ server }, 'the key store answers'),
      notRewritten: (server, error) =>
        log.warn({ server, error }, 'the file of the key store was not rewritten; it holds keys that are destroyed'),
    },
  });
  const doubt = await store.check().catch(() => undefined);
  if (doubt !== undefined) log.warn({ doubt }, 'the key store is less safe than it could be');
  return { store, check: checkOf('keys', () => store.check()), close: () => store.close() };
}

/** The blobs, in the data directory or in a bucket, which need not answer yet. @throws StoreUnusable */
export async function openBlobStore({ dataDir, blobs }: Settings): Promise<Opened<BlobStore>> {
  if (blobs === undefined) return { store: await FolderBlobStore.open(dataDir), close: () => undefined };
  const store = await openS3Blobs({ location: blobs });
  return { store, check: checkOf('blobs', () => store.check()), close: () => store.close() };
}

/** Up while the store answers; with what it says. */
function checkOf(name: string, check: () => Promise<string | undefined | void>): ReadinessCheck {
  return {
    name,
    check: async () => {
      try {
        const detail = await check();
        return detail ? { status: 'up', detail } : { status: 'up' };
      } catch (error) {
        if (!(error instanceof StoreUnavailable) && !(error instanceof StoreUnusable)) throw error;
        return { status: 'down', detail: error.message };
      }
    },
  };
}
