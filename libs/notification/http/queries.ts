import { isUuid } from '#libs/kernel';
import { FinalWaits, readerAsOf, type LiveFeed, type Moment, type StreamReader } from '#libs/runtime';
import type { Vault } from '#libs/vault';
import { memberOf } from '../event/broadcast-member.js';
import { readRequest, type NotificationRequest } from '../operations/read-request.js';
import { notificationSnapshots, type NotificationSnapshot } from '../snapshot/notification-snapshot.js';
import { foldView, readHistory } from '../view/history.js';
import { isFinal, notificationViews, type NotificationView } from '../view/notification-view.js';
import { eventView, readTrail, type EventView } from './events.js';
import { liveView } from './live-view.js';
import type { notificationClient } from './notification-client.js';

type Reader = StreamReader<(typeof notificationClient.looksUp)[number]>;

export interface QueryServices {
  readonly client: Reader;
  readonly vault: Vault;
  /** Emits at least the records of the notification views. */
  readonly feed: LiveFeed;
}

/** Reads notifications. */
export class NotificationQueries {
  private readonly waits: FinalWaits<NotificationView>;

  constructor(private readonly services: QueryServices) {
    this.waits = new FinalWaits(services.feed, ({ type, data }) => {
      const view = data as NotificationView;
      return type === 'notification.view.v1' && isFinal(view) ? view : undefined;
    });
  }

  /**
   * The view, opened; undefined when the id is not known.
   * @param wait milliseconds to wait for a final one; then the state at that time is answered
   */
  async view(id: string, wait: number): Promise<NotificationView | undefined> {
    if (!isUuid(id)) return undefined;
    const view = await this.waits.final(id, wait, () => this.currentView(id), isFinal);
    return view && this.services.vault.openDeep(view);
  }

  /** The view as it was at the moment, opened; undefined when the notification did not exist yet. @throws InvalidRecord */
  async viewAsOf(id: string, moment: Moment): Promise<NotificationView | undefined> {
    if (!isUuid(id)) return undefined;
    const view = await foldedView(readerAsOf(this.services.client, moment), id);
    return view && this.services.vault.openDeep(view);
  }

  /** The view as it is and as it becomes, see `liveView`. */
  live(id: string, seen: bigint | undefined, signal: AbortSignal): AsyncIterable<string> {
    return liveView(this.services, id, () => this.currentView(id), seen, signal);
  }

  /** Every record of the notification in all streams, in global order; undefined when the id is not known. */
  async events(id: string): Promise<readonly EventView[] | undefined> {
    if (!isUuid(id)) return undefined;
    const { client, vault } = this.services;
    const records = await readTrail(client, id);
    return records.length === 0 ? undefined : Promise.all(records.map((record) => eventView(vault, record)));
  }

  /** The aggregate at its end, opened; undefined while there is none. For looking at: nothing is decided on it. */
  async snapshot(id: string): Promise<NotificationSnapshot | undefined> {
    if (!isUuid(id)) return undefined;
    const { client, vault } = this.services;
    const last = await client.last(notificationSnapshots, id);
    return last && vault.openDeep(last.data);
  }

  /** Answers whoever waits with the state as it is, now and from now on. */
  stopWaiting(): void {
    this.waits.stop();
  }

  /** The view as it is written, or folded from the events while it is not yet, or what was asked for at least. */
  private async currentView(id: string): Promise<NotificationView | undefined> {
    const { client } = this.services;
    const written = await client.last(notificationViews, id);
    return written === undefined ? foldedView(client, id) : written.data;
  }
}

/** The view as the events have it, or what was asked for while nothing is decided. @throws InvalidRecord */
async function foldedView(reader: Reader, id: string): Promise<NotificationView | undefined> {
  const folded = foldView(await readHistory(reader, id));
  if (folded !== undefined) return folded;
  const request = await readRequest(reader, id);
  return request && acceptedView(id, request);
}

/** The view of a notification that no bot has taken up yet. */
function acceptedView(id: string, request: NotificationRequest): NotificationView {
  const { data, created, position } = request;
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
    broadcastId: memberOf(request)?.broadcastId ?? null,
    escalation: null,
    revision: 0,
    position: String(position),
  };
}
