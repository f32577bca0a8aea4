import type { Channel, Severity } from '#libs/recipient';
import type { StreamReader } from '#libs/runtime';
import type { Vault } from '#libs/vault';
import type { NotificationStatus } from '../event/notification.js';
import { notificationViews, type NotificationView, type OperationView } from '../view/notification-view.js';
import { operationsOf } from './entries-of.js';
import type { ListRow, OperationStatus } from './entries.js';
import type { NotificationIndex } from './notification-index.js';
import { idAt, idOfDigits, startOf } from './place.js';

/** A part of a list, newest first. */
export interface PageRequest {
  /** Only what comes after this row. */
  readonly after: string | undefined;
  readonly limit: number;
  /** Requested then or later, RFC 3339. */
  readonly from: string | undefined;
  /** Requested before, RFC 3339. */
  readonly to: string | undefined;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** The row from which to read on; undefined where nothing follows. */
  readonly last: string | undefined;
}

/** What has to be true of a notification, all of it. */
export interface NotificationFilter {
  readonly recipientId?: string | undefined;
  /** Something goes to it: a mail address or a Slack channel. */
  readonly address?: string | undefined;
  /** It has something to send on it. */
  readonly channel?: Channel | undefined;
  readonly status?: NotificationStatus | undefined;
  readonly category?: string | undefined;
  readonly severity?: Severity | undefined;
  readonly broadcastId?: string | undefined;
  readonly tags: readonly (readonly [name: string, value: string])[];
}

export interface OperationFilter {
  readonly channel: Channel;
  readonly address?: string | undefined;
  readonly status?: OperationStatus | undefined;
}

/** An operation with what its list says of its notification. */
export interface ListedOperation {
  readonly operation: OperationView;
  readonly notification: NotificationView;
}

export interface ListServices extends NotificationIndex {
  readonly client: StreamReader<typeof notificationViews>;
  readonly vault: Vault;
}

/**
 * Lists of notifications and of what went out for them. The index says which, their views say what: those are read as they
 * are now, so what no longer has the status that was asked for is left out, and a page may be shorter than its limit.
 */
export class NotificationLists {
  constructor(private readonly services: ListServices) {}

  /** Opened, as the view of one is. @throws IndexCatchingUp, IndexFailure, StoreUnavailable */
  async notifications(
    { address, ...filter }: NotificationFilter,
    request: PageRequest,
  ): Promise<Page<NotificationView>> {
    const { index, hashes } = this.services;
    const hash = address === undefined ? undefined : await hashes.of(channelOf(address), address);
    const rows = await index.query({ kind: 'notifications', ...filter, address: hash, ...bounds(request) });
    const page = rows.slice(0, request.limit);
    const views = await this.views(page.map(({ place }) => idAt(place)));
    const items = views.filter((view) => filter.status === undefined || view?.status === filter.status);
    return { items: await this.opened(items), last: nextAfter(rows, page) };
  }

  /** Opened. @throws IndexCatchingUp, IndexFailure, StoreUnavailable */
  async operations(
    { channel, status, address }: OperationFilter,
    request: PageRequest,
  ): Promise<Page<ListedOperation>> {
    const { index, hashes } = this.services;
    const hash = address === undefined ? undefined : await hashes.of(channel, address);
    const rows = await index.query({ kind: 'operations', channel, status, address: hash, ...bounds(request) });
    const page = rows.slice(0, request.limit);
    const views = await this.views(page.map(({ place }) => idAt(place)));
    const items = page.map(({ operationId }, number): ListedOperation | undefined => {
      const notification = views[number];
      const id = idOfDigits(operationId!);
      const operation = notification && operationsOf(notification).find(([, one]) => one.id === id)?.[1];
      return operation && (status === undefined || operation.status === status)
        ? { operation, notification }
        : undefined;
    });
    return { items: await this.opened(items), last: nextAfter(rows, page) };
  }

  /** In order; several operations of one notification read it once. */
  private async views(ids: readonly string[]): Promise<readonly (NotificationView | undefined)[]> {
    const reads = new Map<string, Promise<NotificationView | undefined>>();
    for (const id of ids) if (!reads.has(id)) reads.set(id, this.view(id));
    return Promise.all(ids.map((id) => reads.get(id)!));
  }

  private async view(id: string): Promise<NotificationView | undefined> {
    return (await this.services.client.last(notificationViews, id))?.data;
  }

  private opened<Item>(items: readonly (Item | undefined)[]): Promise<readonly Item[]> {
    return this.services.vault.openDeep(items.filter((item) => item !== undefined));
  }
}

/** An address that could be of mail is one: no Slack channel has an @ inside. */
export function channelOf(address: string): Channel {
  return address.indexOf('@') > 0 ? 'email' : 'slack';
}

/** One row more than wanted tells whether something follows. */
function bounds({ after, limit, from, to }: PageRequest) {
  return {
    after: after ?? null,
    from: from === undefined ? null : startOf(from),
    to: to === undefined ? null : startOf(to),
    limit: limit + 1,
  };
}

function nextAfter(rows: readonly ListRow[], page: readonly ListRow[]): string | undefined {
  const last = page.at(-1);
  if (rows.length === page.length || last === undefined) return undefined;
  return last.place + (last.operationId ?? '');
}
