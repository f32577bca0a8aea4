import type { Subscription } from 'rxjs';
import { emailEvents, emailOperations } from '#libs/channel/email';
import { isUuid, keyOf, type RecordedEvent, type RecordOf } from '#libs/kernel';
import { runtimeTimers, type ClientContext, type LiveFeed } from '#libs/runtime';
import type { Vault } from '#libs/vault';
import { notificationEvents } from '../event/notification.js';
import { notificationClientOperations } from '../operations/client.js';
import { notificationSagas } from '../saga/delivery.js';
import { foldView, readHistory } from '../view/history.js';
import { isFinal, notificationViews, type NotificationView } from '../view/notification-view.js';
import type { notificationClient } from './notification-client.js';

type Client = ClientContext<(typeof notificationClient.looksUp)[number], never>;

/** A record as auditors see it: personal data opened, where its key still exists. */
export interface EventView {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: string;
  readonly occurredAt: string;
  readonly causationId: string | null;
  readonly data: unknown;
  readonly metadata: unknown;
}

export interface QueryServices {
  readonly client: Client;
  readonly vault: Vault;
  /** Emits at least the records of the notification views. */
  readonly feed: LiveFeed;
}

/** Reads notifications. */
export class NotificationQueries {
  private readonly waiting = new Map<string, Set<(view: NotificationView | undefined) => void>>();
  private readonly live: Subscription;
  private stopped = false;

  constructor(private readonly services: QueryServices) {
    this.live = services.feed.records.subscribe((record) => {
      const waiters = this.waiting.get(keyOf(record.stream));
      if (waiters === undefined || record.type !== 'notification.view.v1') return;
      const view = record.data as NotificationView;
      if (isFinal(view)) for (const wake of waiters) wake(view);
    });
  }

  /**
   * The view, opened; undefined when the id is not known.
   * @param wait milliseconds to wait for a final one; then the state at that time is answered
   */
  async view(id: string, wait: number): Promise<NotificationView | undefined> {
    if (!isUuid(id)) return undefined;
    const view = wait > 0 && !this.stopped ? await this.finalView(id, wait) : await this.currentView(id);
    return view && this.services.vault.openDeep(view);
  }

  /** Every record of the notification in all streams, in global order; undefined when the id is not known. */
  async events(id: string): Promise<readonly EventView[] | undefined> {
    if (!isUuid(id)) return undefined;
    const { client, vault } = this.services;
    const own = await client.read(notificationEvents, id);
    const operations = own.flatMap(({ type, data }) => (type === 'notification.prepared.v1' ? data.operations : []));
    const others = await Promise.all([
      client.read(notificationClientOperations, id),
      client.read(notificationSagas, id),
      client.read(runtimeTimers, `${id}.deliver-at`),
      client.read(runtimeTimers, `${id}.delivery-deadline`),
      ...operations.flatMap((operation) => [
        client.read(emailOperations, operation.id),
        client.read(emailEvents, operation.id),
      ]),
    ]);
    const records: RecordedEvent[] = [...own, ...others.flat()];
    if (records.length === 0) return undefined;
    records.sort((a, b) => (a.position < b.position ? -1 : 1));
    return Promise.all(
      records.map(async ({ id: eventId, type, stream, revision, position, created, data, metadata }) => ({
        id: eventId,
        type,
        stream,
        revision: Number(revision),
        position: String(position),
        occurredAt: new Date(created).toISOString(),
        causationId: metadata.$causationId ?? null,
        data: await vault.openDeep(data),
        metadata,
      })),
    );
  }

  /** Answers whoever waits with the state as it is, now and from now on. */
  stopWaiting(): void {
    this.stopped = true;
    for (const waiters of this.waiting.values()) for (const wake of waiters) wake(undefined);
    this.live.unsubscribe();
  }

  /** Registers first and reads then, so that nothing falls in between. */
  private async finalView(id: string, wait: number): Promise<NotificationView | undefined> {
    let wake!: (view: NotificationView | undefined) => void;
    const woken = new Promise<NotificationView | undefined>((resolve) => (wake = resolve));
    const waiters = this.waiting.get(id) ?? new Set();
    this.waiting.set(id, waiters.add(wake));
    const timer = setTimeout(() => wake(undefined), wait);
    try {
      const current = await this.currentView(id);
      if (current === undefined || isFinal(current)) return current;
      return (await woken) ?? (await this.currentView(id));
    } finally {
      clearTimeout(timer);
      waiters.delete(wake);
      if (waiters.size === 0) this.waiting.delete(id);
    }
  }

  /** The view as it is written, or folded from the events while it is not yet, or what was asked for at least. */
  private async currentView(id: string): Promise<NotificationView | undefined> {
    const { client } = this.services;
    const written = await client.last(notificationViews, id);
    if (written !== undefined) return written.data;
    const folded = foldView(await readHistory(client, id));
    if (folded !== undefined) return folded;
    const [operation] = await client.read(notificationClientOperations, id);
    return operation && acceptedView(id, operation);
  }
}

/** The view of a notification that no bot has taken up yet. */
function acceptedView(
  id: string,
  { data, created, position }: RecordOf<typeof notificationClientOperations>,
): NotificationView {
  const { recipientId, category, severity, subject, about, tags, deliverAt } = data;
  return {
    id,
    recipientId,
    category,
    severity,
    subject,
    status: 'requested',
    reason: null,
    decision: null,
    requestedAt: new Date(created).toISOString(),
    completedAt: null,
    deliverAt,
    channels: {},
    about,
    tags,
    sandbox: false,
    revision: 0,
    position: String(position),
  };
}
