import { isTerminal } from '../event/notification.js';
import type { NotificationView } from '../view/notification-view.js';
import type { AddressHashes } from './address-hashes.js';
import { operationsOf } from './entries-of.js';
import type { NotificationFilter } from './lists.js';

/** What a live list shows. */
export interface LiveFilter extends NotificationFilter {
  /** Requested then or later, RFC 3339. */
  readonly from: string | undefined;
  /** Requested before, RFC 3339. */
  readonly to: string | undefined;
}

/** Whether a view is in a list, was in it perhaps and is no more, or never was. */
export type Standing = 'in' | 'left' | 'out';

/** Tells of views how they stand to a list. */
export class ListMatch {
  private readonly from: number;
  private readonly to: number;

  /** @param address hash of the filter's address */
  constructor(
    private readonly filter: LiveFilter,
    private readonly hashes: AddressHashes,
    private readonly address: string | undefined,
  ) {
    this.from = filter.from === undefined ? -Infinity : Date.parse(filter.from);
    this.to = filter.to === undefined ? Infinity : Date.parse(filter.to);
  }

  /** @throws StoreUnavailable */
  async standingOf(view: NotificationView): Promise<Standing> {
    if (!this.isEverIn(view)) return 'out';
    if (this.address !== undefined && !(await this.goesToAddress(view))) return 'out';
    const { status } = this.filter;
    if (status === undefined || status === view.status) return 'in';
    // What has ended stays as it is: nothing leaves a list of those.
    return isTerminal(status) ? 'out' : 'left';
  }

  /** What never changes of a notification, or only once: that it has something to send on a channel. */
  private isEverIn(view: NotificationView): boolean {
    const { recipientId, category, severity, broadcastId, channel, tags } = this.filter;
    const requestedAt = Date.parse(view.requestedAt);
    return (
      (recipientId === undefined || recipientId === view.recipientId) &&
      (category === undefined || category === view.category) &&
      (severity === undefined || severity === view.severity) &&
      (broadcastId === undefined || broadcastId === view.broadcastId) &&
      tags.every(([name, value]) => Object.hasOwn(view.tags, name) && view.tags[name] === value) &&
      (channel === undefined || (view.channels[channel]?.operations.length ?? 0) > 0) &&
      requestedAt >= this.from &&
      requestedAt < this.to
    );
  }

  private async goesToAddress(view: NotificationView): Promise<boolean> {
    for (const [channel, { to }] of operationsOf(view)) {
      if ((await this.hashes.ofSealed(channel, to))?.hash === this.address) return true;
    }
    return false;
  }
}
