import { LRUCache } from 'lru-cache';
import type { SealedBlobs } from '#libs/blob';
import type { EmailTransport } from '#libs/channel/email';
import type { SlackTransport } from '#libs/channel/slack';
import type { StoredBlob } from '#libs/content';
import type { RecordOf } from '#libs/kernel';
import type { Channel } from '#libs/recipient';
import { defineReactor, runtimeTimers, type HandlerContext } from '#libs/runtime';
import { keyIdOf } from '#libs/vault';
import { addressOf, channelEvents, channelStreams, keptBlobs, type ChannelEvents } from '../channels.js';
import { isTerminal, notification, notificationEvents } from '../event/notification.js';

export interface RetentionServices {
  readonly blobs: SealedBlobs;
  /** How long a notification's blobs are kept after its end, in milliseconds. */
  readonly attachmentRetention: number;
  readonly transport: Pick<EmailTransport, 'sandbox'>;
  readonly slackTransport: Pick<SlackTransport, 'sandbox'>;
}

type Seen = typeof notificationEvents | typeof runtimeTimers;
type Context = HandlerContext<Seen | ChannelEvents, typeof runtimeTimers>;

type BlobName = Pick<StoredBlob, 'keyId' | 'id'>;

const retentionPurpose = 'notification.retention';
const mostRemembered = 50_000;

/** Key of the timer that removes a notification's blobs. */
export function retentionTimerKey(id: string): string {
  return `${id}.retention`;
}

/**
 * Removes a notification's blobs some time after its end. Notifications without blobs cost no record; in the sandbox every
 * one that is prepared may have some.
 */
export const retentionReactor = defineReactor({
  name: 'notification.retention-reactor',
  reads: [notificationEvents, runtimeTimers],
  looksUp: channelEvents,
  writes: [runtimeTimers],
  create: (services: RetentionServices) => new RetentionReactor(services),
});

class RetentionReactor {
  /** Of notifications in progress: whether there may be blobs. What is not remembered is read again. */
  private readonly mayHaveBlobs = new LRUCache<string, boolean>({ max: mostRemembered });
  private readonly sandboxes: Readonly<Partial<Record<Channel, boolean>>>;

  constructor(private readonly services: RetentionServices) {
    this.sandboxes = { email: services.transport.sandbox, slack: services.slackTransport.sandbox };
  }

  handle = async (record: RecordOf<Seen>, context: Context): Promise<void> => {
    const id = context.correlationId;
    switch (record.type) {
      case 'notification.requested.v1':
        this.mayHaveBlobs.set(id, this.isKept(record));
        return;
      case 'notification.prepared.v1':
        if (this.isKept(record)) this.mayHaveBlobs.set(id, true);
        return;
      case 'runtime.timer-fired.v1':
        if (record.data.purpose === retentionPurpose) await this.remove(id, context);
        return;
      case 'runtime.timer-scheduled.v1':
      case 'runtime.timer-cancelled.v1':
        return;
      default: {
        if (!isTerminal(notification.evolve(notification.initial(), record).status)) return;
        const mayBeThere =
          this.mayHaveBlobs.get(id) ?? (await context.read(notificationEvents, id)).some((event) => this.isKept(event));
        if (mayBeThere) await this.schedule(id, record.created, context);
        this.mayHaveBlobs.delete(id);
      }
    }
  };

  /** Whether something was stored before a notification's event, or the sandbox may keep what follows from it. */
  private isKept(event: RecordOf<typeof notificationEvents>): boolean {
    if (storedBy(event).length > 0) return true;
    return (
      event.type === 'notification.prepared.v1' && event.data.operations.some(({ channel }) => this.sandboxes[channel])
    );
  }

  private async schedule(id: string, ended: number, context: Context): Promise<void> {
    const data = { dueAt: ended + this.services.attachmentRetention, purpose: retentionPurpose };
    await context.append(
      context.write(runtimeTimers, retentionTimerKey(id), 'noStream', [{ type: 'runtime.timer-scheduled.v1', data }]),
    );
  }

  private async remove(id: string, context: Context): Promise<void> {
    for (const event of await context.read(notificationEvents, id)) {
      for (const blob of await blobsOf(event, context)) await this.services.blobs.delete(blob);
    }
    context.trace.did('removed');
  }
}

/** What was stored before a notification's event. */
function storedBy(event: RecordOf<typeof notificationEvents>): readonly StoredBlob[] {
  if (event.type === 'notification.requested.v1') return event.data.blobs ?? [];
  if (event.type !== 'notification.prepared.v1') return [];
  return event.data.operations.flatMap((prepared) => {
    const { blob } = prepared.operation.content;
    // A message that was prepared elsewhere says something else than the notification. What stands under another key is a
    // broadcast's, and there for its other members, too.
    return blob?.keyId === keyIdOf(addressOf(prepared)) ? [blob] : [];
  });
}

/** What was stored before a notification's event, and what the sandbox has kept after it. */
async function blobsOf(event: RecordOf<typeof notificationEvents>, context: Context): Promise<readonly BlobName[]> {
  const blobs: BlobName[] = [...storedBy(event)];
  if (event.type !== 'notification.prepared.v1') return blobs;
  for (const prepared of event.data.operations) {
    const last = await context.last(channelStreams[prepared.channel].events, prepared.id);
    if (last !== undefined) blobs.push(...keptBlobs(prepared, last));
  }
  return blobs;
}
