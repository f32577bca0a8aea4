import { versionCategory } from '#libs/kernel';
import { QueryIndex, type IndexLog, type IndexSource } from '#libs/query-index';
import { recipientEvents } from '#libs/recipient';
import { ServedStreams } from '#libs/runtime';
import type { EventStore } from '#libs/store/port';
import type { Vault } from '#libs/vault';
import { AddressHashes } from './address-hashes.js';
import { notificationViews } from '../view/notification-view.js';
import { entriesOf } from './entries-of.js';
import type { ListAnswer, ListEntry, ListQuery } from './entries.js';
import { tables } from './tables.js';

/** By which notifications and their operations are found. */
export interface NotificationIndex {
  readonly index: QueryIndex<ListEntry, ListQuery, ListAnswer>;
  readonly hashes: AddressHashes;
}

export interface NotificationIndexOptions {
  /** Where the folder `query-index` is. */
  readonly directory: string;
  readonly store: EventStore;
  readonly vault: Vault;
  readonly log: IndexLog;
}

/** Opens the index of this process and begins to catch up. @throws IndexFailure */
export async function openNotificationIndex(options: NotificationIndexOptions): Promise<NotificationIndex> {
  const { directory, store, vault, log } = options;
  const hashes = new AddressHashes(vault);
  const index = await QueryIndex.open({
    directory,
    store,
    tables,
    module: new URL('./tables.js', import.meta.url).href,
    source: () => listSource(store, hashes),
    entriesOf: (records) => entriesOf(hashes, records),
    log,
  });
  return { index, hashes };
}

/** What the lists are made from: the views of the version that serves, erasures, and the key of the hashes. */
async function listSource(store: EventStore, hashes: AddressHashes): Promise<IndexSource> {
  const served = new ServedStreams(store, [notificationViews, recipientEvents]);
  const { serving } = await served.stateOf(notificationViews);
  return {
    name: `${versionCategory(notificationViews, serving)} and ${await hashes.keyId()}`,
    subscribe: (after, signal) => served.subscribe(after, signal),
  };
}
