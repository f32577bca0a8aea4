import { isIPv6 } from 'node:net';
import type { Logger } from 'pino';
import { FolderBlobStore, SealedBlobs } from '#libs/blob';
import { SandboxTransport, SmtpTransport, type EmailTransport } from '#libs/channel/email';
import { SandboxSlackTransport, WebApiSlackTransport, type SlackTransport } from '#libs/channel/slack';
import { Contents } from '#libs/content';
import { broadcastViews } from '#libs/broadcast';
import { notificationViews } from '#libs/notification';
import { recipient, recipientEvents, type RecipientState } from '#libs/recipient';
import { CachedAggregates, LiveFeed } from '#libs/runtime';
import type { EventStore } from '#libs/store/port';
import type { SqliteStoreStats } from '#libs/store/sqlite';
import type { Tracing } from '#libs/tracing';
import { SqliteKeyStore, Vault } from '#libs/vault';
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
  readonly contents: Contents;
  readonly transport: EmailTransport;
  readonly slackTransport: SlackTransport;
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

/** Opens the store, and what is kept in the data directory. @throws StoreUnusable */
export async function openParts(
  settings: Settings,
  log: Logger,
  decorate: StoreDecorator,
  tracing: Tracing | undefined,
): Promise<Parts> {
  const { dataDir } = settings;
  // The store comes first: it holds the lock of the directory.
  const opened = await openStore(settings, log);
  const store = decorate(opened.store);
  try {
    const vault = new Vault(await SqliteKeyStore.open(dataDir));
    const blobs = new SealedBlobs(vault, await FolderBlobStore.open(dataDir));
    const feed = new LiveFeed(store, [recipientEvents.category, notificationViews.category, broadcastViews.category]);
    await feed.start();
    return {
      store,
      storeStats: opened.stats,
      releaseDataDir: opened.release,
      vault,
      blobs,
      contents: new Contents(vault, blobs),
      transport: createTransport(settings, tracing),
      slackTransport: createSlackTransport(settings, tracing),
      feed,
      recipients: new CachedAggregates(feed, recipientEvents, recipient),
      uploadLimit: settings.blobLimitMegabytes * megabyte,
      attachmentRetention: settings.attachmentRetentionDays * day,
    };
  } catch (error) {
    await store.close();
    opened.release();
    throw error;
  }
}

/** In the order in which they depend on each other. */
export async function closeParts({ transport, recipients, feed, vault, store, releaseDataDir }: Parts): Promise<void> {
  await transport.close();
  recipients.stop();
  await feed.stop();
  await vault.close();
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
