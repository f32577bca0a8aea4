import { isUuid } from '#libs/kernel';
import { FinalWaits, type ClientContext, type LiveFeed } from '#libs/runtime';
import type { Vault } from '#libs/vault';
import { broadcastEvents } from '../event/broadcast.js';
import { Members } from '../event/members.js';
import { broadcastClientOperations } from '../operations/client.js';
import { memberNotificationId } from '../operations/internal.js';
import { broadcastViews, isFinal, type BroadcastView } from '../view/broadcast-view.js';
import { acceptedView, decidedView } from '../view/project.js';
import type { broadcastClient } from './broadcast-client.js';

export interface QueryServices {
  readonly client: ClientContext<(typeof broadcastClient.looksUp)[number], never>;
  readonly vault: Vault;
  /** Emits at least the records of the broadcast views. */
  readonly feed: LiveFeed;
}

export type ServedBroadcast = Omit<BroadcastView, 'progress'>;

export interface MemberItem {
  /** Of the member's notification, which is known once the broadcast has come to it. */
  readonly id: string;
  readonly recipientId: string;
}

export interface MembersPage {
  readonly items: readonly MemberItem[];
  /** Ordinal of the member that comes next; undefined at the end. */
  readonly next: number | undefined;
}

/** Reads broadcasts. */
export class BroadcastQueries {
  private readonly members = new Members();
  private readonly waits: FinalWaits<BroadcastView>;

  constructor(private readonly services: QueryServices) {
    this.waits = new FinalWaits(services.feed, ({ type, data }) => {
      const view = data as BroadcastView;
      return type === 'broadcast.view.v1' && isFinal(view) ? view : undefined;
    });
  }

  /**
   * The view, opened; undefined when the id is not known.
   * @param wait milliseconds to wait for all members to end; then the state at that time is answered
   */
  async view(id: string, wait: number): Promise<ServedBroadcast | undefined> {
    if (!isUuid(id)) return undefined;
    const view = await this.waits.final(id, wait, () => this.currentView(id), isFinal);
    if (view === undefined) return undefined;
    const { progress: _, ...served } = view;
    return this.services.vault.openDeep(served);
  }

  /** The members' notifications in order, none while it is not decided who is told; undefined when the id is not known. */
  async notifications(id: string, firstOrdinal: number, limit: number): Promise<MembersPage | undefined> {
    if (!isUuid(id)) return undefined;
    const { client } = this.services;
    const [requested] = await client.read(broadcastEvents, id, { limit: 1 });
    if (requested?.type !== 'broadcast.requested.v1') {
      return (await client.last(broadcastClientOperations, id)) && { items: [], next: undefined };
    }
    const recipientIds = await this.members.read(client, id, requested.data, firstOrdinal, limit);
    const next = firstOrdinal + recipientIds.length;
    return {
      items: recipientIds.map((recipientId, index) => ({
        id: memberNotificationId(id, firstOrdinal + index),
        recipientId,
      })),
      next: next < requested.data.recipients ? next : undefined,
    };
  }

  /** Answers whoever waits with the state as it is, now and from now on. */
  stopWaiting(): void {
    this.waits.stop();
  }

  private async currentView(id: string): Promise<BroadcastView | undefined> {
    const { client } = this.services;
    const written = await client.last(broadcastViews, id);
    if (written !== undefined) return written.data;
    const decided = decidedView(await client.read(broadcastEvents, id));
    if (decided !== undefined) return decided;
    const operation = await client.last(broadcastClientOperations, id);
    return operation && acceptedView(operation);
  }
}
