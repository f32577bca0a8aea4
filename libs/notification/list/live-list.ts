import { serverSentEvent, type EventBatch } from '#libs/http';
import { declaredCategoryOf, InvalidRecord, keyOf, parse, type RecordedEvent } from '#libs/kernel';
import { recipientEvents } from '#libs/recipient';
import { ServedStreams } from '#libs/runtime';
import type { EventStore } from '#libs/store/port';
import type { Vault } from '#libs/vault';
import { notificationViews, type NotificationView } from '../view/notification-view.js';
import type { AddressHashes } from './address-hashes.js';
import { ListMatch, type LiveFilter } from './list-match.js';
import { channelOf } from './lists.js';

/** Views that are opened at a time: what a slow client does not take is not made. */
const openedAtOnce = 20;
/** For how long a view that was opened for one client is there for the others, in milliseconds. */
const sharedFor = 1_000;

export interface LiveListServices {
  readonly store: Pick<EventStore, 'head' | 'readStream' | 'subscribeToAll'>;
  readonly vault: Vault;
  readonly hashes: AddressHashes;
}

interface Shared {
  readonly text: Promise<string>;
  readonly at: number;
}

/**
 * Lists as they become: each view that is written and matches, of several of one notification that are there at once only
 * the newest, and what leaves the list. A client is a position in the store and what it is just taking.
 */
export class LiveLists {
  /** What many clients get is opened and written once. */
  private readonly shared = new WeakMap<RecordedEvent, Shared>();

  constructor(private readonly services: LiveListServices) {}

  /** Position of the store's last record. @throws StoreUnavailable */
  head(): Promise<bigint> {
    return this.services.store.head();
  }

  /** @param after where the client begins, or what it has seen. @throws StoreUnavailable */
  async *follow(filter: LiveFilter, after: bigint, signal: AbortSignal): AsyncGenerator<EventBatch> {
    const { store, hashes } = this.services;
    const { address } = filter;
    const hash = address === undefined ? undefined : await hashes.of(channelOf(address), address);
    const match = new ListMatch(filter, hashes, hash);
    const served = new ServedStreams(store, [notificationViews, recipientEvents]);
    const { switched } = await served.stateOf(notificationViews);
    // Up to there another version served: of this one, all there is has to be seen.
    const isOfAnother = switched !== undefined && after < switched.position;
    const from = isOfAnother && switched.builtFrom < after ? switched.builtFrom : after;
    for await (const { events, checkpoint, live } of served.subscribe(from, signal)) {
      const newest = newestOf(events);
      for (let index = 0; index < newest.length; index += openedAtOnce) {
        const some = newest.slice(index, index + openedAtOnce);
        const isLast = index + openedAtOnce >= newest.length;
        const texts = await Promise.all(some.map((record) => this.eventOf(filter, match, record)));
        const position = isLast ? checkpoint : some.at(-1)!.position;
        yield { events: texts.filter((text) => text !== undefined), position, live: live && isLast };
      }
      if (newest.length === 0) yield { events: [], position: checkpoint, live };
    }
  }

  private async eventOf(filter: LiveFilter, match: ListMatch, record: RecordedEvent) {
    const position = String(record.position);
    try {
      if (declaredCategoryOf(record.stream) !== notificationViews.category) {
        const { type, stream } = parse(recipientEvents, record);
        const recipientId = keyOf(stream);
        if (type !== 'recipient.erased.v1' || (filter.recipientId ?? recipientId) !== recipientId) return undefined;
        return { position, text: serverSentEvent(position, { recipientId }, 'erased') };
      }
      const view = parse(notificationViews, record).data;
      const standing = await match.standingOf(view);
      if (standing === 'out') return undefined;
      if (standing === 'left') return { position, text: serverSentEvent(position, { id: view.id }, 'left') };
      return { position, text: await this.textOf(record, view) };
    } catch (error) {
      // One that cannot be read is in no list.
      if (error instanceof InvalidRecord) return undefined;
      throw error;
    }
  }

  private textOf(record: RecordedEvent, view: NotificationView): Promise<string> {
    const known = this.shared.get(record);
    const now = performance.now();
    if (known !== undefined && now - known.at < sharedFor) return known.text;
    const text = this.services.vault.openDeep(view).then((opened) => serverSentEvent(String(record.position), opened));
    this.shared.set(record, { text, at: now });
    return text;
  }
}

/** Of several views of one notification only the last; in order. */
function newestOf(events: readonly RecordedEvent[]): readonly RecordedEvent[] {
  const byStream = new Map<string, RecordedEvent>();
  for (const record of events) {
    const isView = declaredCategoryOf(record.stream) === notificationViews.category;
    const key = isView ? record.stream : `${record.stream} ${record.position}`;
    byStream.delete(key);
    byStream.set(key, record);
  }
  return [...byStream.values()];
}
