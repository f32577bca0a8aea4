import type { Content, Contents, SealedContent } from '#libs/content';
import { groupEvents } from '#libs/group';
import type { RecordOf } from '#libs/kernel';
import {
  memberOf,
  metadataOfMember,
  notificationEvents,
  notificationInternalOperations,
  type SendNotification,
} from '#libs/notification';
import { recipientOwner } from '#libs/recipient';
import { defineBot, inFlow, type Deferred, type HandlerContext } from '#libs/runtime';
import type { Vault } from '#libs/vault';
import { broadcastEvents, type BroadcastRequested } from '../event/broadcast.js';
import { Members } from '../event/members.js';
import { broadcastClientOperations } from '../operations/client.js';
import {
  broadcastInternalOperations,
  memberNotificationId,
  pageKey,
  pageSize,
  type NotifyMembers,
} from '../operations/internal.js';
import { leavesNothing, OpenPage } from './open-page.js';

export interface BroadcastFanOutServices {
  readonly vault: Vault;
  readonly contents: Contents;
}

type Seen = typeof broadcastEvents | typeof broadcastInternalOperations | typeof notificationEvents;
type Context = HandlerContext<
  Seen | typeof broadcastClientOperations | typeof groupEvents,
  typeof broadcastInternalOperations | typeof notificationInternalOperations
>;

/** Members that are sealed for and appended at a time. */
const appendedAtATime = 100;

/**
 * Carries a broadcast out, page by page: asks for a notification of each member of a page, and for the next page when
 * most of them have ended. The order: a page stands before its members, and all of its members before the next page.
 */
export const broadcastFanOutBot = defineBot({
  name: 'broadcast.fan-out-bot',
  reads: [broadcastEvents, broadcastInternalOperations, notificationEvents],
  looksUp: [broadcastClientOperations, groupEvents],
  writes: [broadcastInternalOperations, notificationInternalOperations],
  // It counts how the members' flows end.
  partitioned: false,
  create: (services: BroadcastFanOutServices) => new FanOut(services),
});

class FanOut {
  private readonly members = new Members();
  /** By broadcast: one page each. */
  private readonly pages = new Map<string, OpenPage>();

  constructor(private readonly services: BroadcastFanOutServices) {}

  handle = async (record: RecordOf<Seen>, context: Context): Promise<Deferred | void> => {
    switch (record.type) {
      case 'broadcast.requested.v1':
        return this.ask(context, record.data, 0);
      case 'broadcast.failed.v1':
        return;
      case 'broadcast.notify-members.v1':
        return this.notify(record.data, context);
      default: {
        const member = memberOf(record);
        if (member === undefined || !leavesNothing(record)) return;
        await this.pages.get(member.broadcastId)?.ended(member.ordinal);
      }
    }
  };

  async stop(): Promise<void> {
    await Promise.all([...this.pages.values()].map((page) => page.stop()));
  }

  /** Asks for a page, where there are members for it. */
  private async ask(context: Context, requested: BroadcastRequested, page: number): Promise<void> {
    const id = context.correlationId;
    const firstOrdinal = page * pageSize;
    if (firstOrdinal >= requested.recipients) return;
    const recipientIds = await this.members.read(context, id, requested, firstOrdinal, pageSize);
    const data = { page, firstOrdinal, recipientIds };
    await context.append(
      context.write(broadcastInternalOperations, pageKey(id, page), 'noStream', [
        { type: 'broadcast.notify-members.v1', data },
      ]),
    );
  }

  private async notify(data: NotifyMembers, context: Context): Promise<Deferred> {
    const id = context.correlationId;
    // Before anything is awaited: what ends from now on counts.
    const page = new OpenPage(data, async () => {
      if (this.pages.get(id) === page) this.pages.delete(id);
      await this.ask(context, await requestedOf(context, id), data.page + 1);
    });
    this.pages.set(id, page);
    await this.append(data, context);
    await page.asked();
    return page;
  }

  private async append({ firstOrdinal, recipientIds }: NotifyMembers, context: Context): Promise<void> {
    const broadcastId = context.correlationId;
    const message = await this.open(context, broadcastId);
    for (let start = 0; start < recipientIds.length; start += appendedAtATime) {
      const some = recipientIds.slice(start, start + appendedAtATime);
      // Each by itself: a server of events takes many at a time, and one after the other where they are appended together.
      const appending = some.map(async (recipientId, index) => {
        const ordinal = firstOrdinal + start + index;
        const id = memberNotificationId(broadcastId, ordinal);
        const data = await this.sealFor(recipientId, id, message);
        const append = context.write(notificationInternalOperations, id, 'noStream', [
          { type: 'notification.send.v1', data },
        ]);
        await context.append(inFlow(append, id, metadataOfMember({ broadcastId, ordinal })));
      });
      await Promise.all(appending);
    }
  }

  /** What is told, opened where every member gets it under their own key. */
  private async open(context: Context, id: string): Promise<OpenMessage> {
    const { vault, contents } = this.services;
    const [operation] = await context.read(broadcastClientOperations, id);
    const { category, severity, subject, content, attachments, about, tags, deliverAt } = operation!.data;
    const { notAfter } = await requestedOf(context, id);
    return {
      rest: {
        category,
        severity,
        ...(attachments !== undefined && { attachments }),
        about,
        tags,
        deliverAt,
        expiresAt: notAfter,
      },
      subject: await vault.open(subject),
      content: content.blob === undefined ? { small: await contents.open(content) } : { large: content },
    };
  }

  private async sealFor(recipientId: string, id: string, message: OpenMessage): Promise<SendNotification> {
    const { vault, contents } = this.services;
    const { subject, content, rest } = message;
    const owner = recipientOwner(recipientId);
    return {
      recipientId,
      ...rest,
      subject: vault.sealNow(owner, 'subject', subject) ?? (await vault.sealFor(owner, 'subject', subject)),
      content: 'large' in content ? content.large : await contents.seal(owner, `${id}-content`, content.small),
    };
  }
}

interface OpenMessage {
  readonly rest: Omit<SendNotification, 'recipientId' | 'subject' | 'content'>;
  readonly subject: string;
  /** Large content and attachments stay in the broadcast's blobs, once for all members. */
  readonly content: { readonly small: Content } | { readonly large: SealedContent };
}

async function requestedOf(context: Context, id: string): Promise<BroadcastRequested> {
  const [requested] = await context.read(broadcastEvents, id, { limit: 1 });
  if (requested?.type !== 'broadcast.requested.v1') throw new Error(`broadcast ${id} was never requested`);
  return requested.data;
}
