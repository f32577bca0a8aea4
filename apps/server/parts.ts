import { isIPv6 } from 'node:net';
import type { Logger } from 'pino';
import { SealedBlobs } from '#libs/blob';
import { BounceAddresses, SandboxTransport, SmtpTransport, type EmailTransport } from '#libs/channel/email';
import { SandboxSlackTransport, WebApiSlackTransport, type SlackTransport } from '#libs/channel/slack';
import { Contents } from '#libs/content';
import type { ReadinessCheck } from '#libs/http';
import { InvalidRecord, isVersioned, parse } from '#libs/kernel';
import { broadcastViews } from '#libs/broadcast';
import { notificationViews } from '#libs/notification';
import { recipient, recipientEvents, type RecipientState } from '#libs/recipient';
import { CachedAggregates, LiveFeed, ViewVersions } from '#libs/runtime';
import type { EventStore } from '#libs/store/port';
import type { SqliteStoreStats } from '#libs/store/sqlite';
import type { Tracing } from '#libs/tracing';
import { Vault } from '#libs/vault';
import { topology } from '#streams.config';
import { InstallationKeys } from './installation.js';
import { openBlobStore, openKeyStore } from './keys-and-blobs.js';
import type { Settings } from './settings/index.js';
import { openStore } from './store.js';
import { tracedEmail } from './tracing/email.js';

const megabyte = 1_048_576;
/** In milliseconds. */
const day = 86_400_000;

/** Everything that handlers and controllers are made from. */
export interface Parts {
  readonly store: EventStore;
  /** Undefined where the store does not count what it writes. */
  readonly storeStats: (() => SqliteStoreStats) | undefined;
  /** Lets other processes use the data directory. */
  readonly releaseDataDir: () => void;
  readonly vault: Vault;
  readonly blobs: SealedBlobs;
  readonly closeBlobs: () => Promise<void> | void;
  /** Of the keys and the blobs, where they are somewhere else. */
  readonly storeChecks: readonly ReadinessCheck[];
  readonly contents: Contents;
  readonly transport: EmailTransport;
  /** The addresses that mails come back to; undefined: they come back to their sender. */
  readonly bounces: BounceAddresses | undefined;
  readonly slackTransport: SlackTransport;
  /** Which version of each view serves. */
  readonly views: ViewVersions;
  /** Live records of recipients, and of the views of notifications and broadcasts. */
  readonly feed: LiveFeed;
  readonly recipients: CachedAggregates<typeof recipientEvents, RecipientState>;
  /** Bytes that an upload may have. */
  readonly uploadLimit: number;
  /** How long a notification's blobs are kept after its end, in milliseconds. */
  readonly attachmentRetention: number;
}

/** What a test may put around the store, to break it. */
export type StoreDecorator = (store: EventStore) => EventStore;

/**
 * Opens the store, and where the keys and the blobs are kept.
 * @param failed told when the keys turn out, later, to be another event store's
 * @throws StoreUnusable
 */
export async function openParts(
  settings: Settings,
  log: Logger,
  decorate: StoreDecorator,
  tracing: Tracing | undefined,
  failed: (error: Error) => void,
): Promise<Parts> {
  // The store comes first: it holds the lock of the data directory.
  const opened = await openStore(settings, log);
  const store = decorate(opened.store);
  const undo: (() => Promise<void> | void)[] = [opened.release, () => store.close()];
  try {
    const keyStore = await openKeyStore(settings, log);
    undo.push(() => keyStore.close());
    const keys = new InstallationKeys(store, keyStore.store, settings.acceptedKeyStore);
    await keys.confirm(failed);
    const blobStore = await openBlobStore(settings);
    undo.push(() => blobStore.close());
    const vault = new Vault(keys);
    const blobs = new SealedBlobs(vault, blobStore.store);
    const views = new ViewVersions(store, topology.streams.map(({ stream }) => stream).filter(isVersioned));
    await views.start();
    const feed = new LiveFeed(store, [recipientEvents, notificationViews, broadcastViews]);
    if (keys.watch) forgetErased(feed, vault);
    await feed.start();
    return {
      store,
      storeStats: opened.stats,
      releaseDataDir: opened.release,
      vault,
      blobs,
      closeBlobs: () => blobStore.close(),
      storeChecks: [keyStore.check && keys.readiness(keyStore.check), blobStore.check].filter(
        (check) => check !== undefined,
      ),
      contents: new Contents(vault, blobs),
      transport: createTransport(settings, tracing),
      bounces: settings.bounceAddress === undefined ? undefined : new BounceAddresses(settings.bounceAddress, vault),
      slackTransport: createSlackTransport(settings, tracing),
      views,
      feed,
      recipients: new CachedAggregates(feed, recipientEvents, recipient),
      uploadLimit: settings.blobLimitMegabytes * megabyte,
      attachmentRetention: settings.attachmentRetentionDays * day,
    };
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

/** An erasure that another process has made is heard of from the event store, too, also where the key store is torn apart. */
function forgetErased(feed: LiveFeed, vault: Vault): void {
  feed.records.subscribe((record) => {
    if (record.type !== 'recipient.erased.v1') return;
    try {
      const { type, data } = parse(recipientEvents, record);
      if (type === 'recipient.erased.v1') vault.forget(data.keyIds);
    } catch (error) {
      if (!(error instanceof InvalidRecord)) throw error;
    }
  });
}

/** In the order in which they depend on each other. */
export async function closeParts(parts: Parts): Promise<void> {
  const { transport, recipients, feed, views, vault, closeBlobs, store, releaseDataDir } = parts;
  await transport.close();
  recipients.stop();
  await feed.stop();
  await views.stop();
  await vault.close();
  await closeBlobs();
  await store.close();
  releaseDataDir();
}

function createTransport({ smtp, smtpCa, smtpTimeoutSeconds }: Settings, tracing: Tracing | undefined): EmailTransport {
  if (smtp === undefined) return new SandboxTransport();
  const { host, port, secure, auth } = smtp;
  const login = auth ? `${encodeURIComponent(auth.user)}:${encodeURIComponent(auth.pass)}@` : '';
  const timeout = smtpTimeoutSeconds * 1_000;
  const transport = new SmtpTransport({
    url: `${secure ? 'smtps' : 'smtp'}://${login}${isIPv6(host) ? `[${host}]` : host}:${port}`,
    ca: smtpCa,
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
  });
  return tracing === undefined ? transport : tracedEmail(tracing, transport, smtp);
}

function createSlackTransport(
  { slackToken: token, slackApiUrl: url }: Settings,
  tracing: Tracing | undefined,
): SlackTransport {
  if (token === undefined) return new SandboxSlackTransport();
  // The bytes of a file go to a URL of its own.
  const methodOf = ({ href }: URL) => (href.startsWith(url) ? href.slice(url.length) : undefined);
  return new WebApiSlackTransport({ token, url, fetch: tracing?.calls.fetch(methodOf) });
}
