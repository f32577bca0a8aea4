import type { BounceAddresses } from '#libs/channel/email';
import { FolderBlobStore, SealedBlobs } from '#libs/blob';
import { Contents } from '#libs/content';
import { ownSteps, type DeliveryRules, type Steps } from '#libs/notification';
import { recipient, recipientEvents } from '#libs/recipient';
import { CachedAggregates, LiveFeed } from '#libs/runtime';
import type { EventStore } from '#libs/store/port';
import { MemoryKeyStore, Vault } from '#libs/vault';
import { FakeSlackTransport } from './fake-slack-transport.js';
import { FakeTransport } from './fake-transport.js';

/** What the handlers are made from. */
export async function openServices(directory: string, store: EventStore) {
  const vault = new Vault(new MemoryKeyStore());
  const blobs = new SealedBlobs(vault, await FolderBlobStore.open(directory));
  const feed = new LiveFeed(store, [recipientEvents]);
  await feed.start();
  const deliveryRules: DeliveryRules = {
    window: 3_600_000,
    policy: { default: 'atLeastOnce', once: 'atMostOnce' },
    onChannelFailure: 'continue',
  };
  const mailFrom = { address: 'office@example.org' };
  const steps: Steps = ownSteps(mailFrom);
  return {
    vault,
    blobs,
    steps,
    contents: new Contents(vault, blobs),
    feed,
    recipients: new CachedAggregates(feed, recipientEvents, recipient),
    transport: new FakeTransport(),
    mailFrom,
    emailRetryDelays: [1_000, 5_000],
    bounces: undefined as BounceAddresses | undefined,
    teamEmail: undefined,
    slackTransport: new FakeSlackTransport(),
    slackRetryDelays: [1_000, 5_000],
    slackInterval: 1_000,
    attachmentRetention: 3_600_000,
    deliveryRules,
  };
}
