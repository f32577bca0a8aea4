import type { Channel, Severity } from '#libs/recipient';
import type { NotificationStatus } from '../event/notification.js';

// What goes to the thread of the index and what comes back. No address and no content among it; bytes are hexadecimal
// digits, which cost less on the way than bytes do.

/** What is found of a notification; the last one counts. */
export interface NotificationEntry {
  readonly kind: 'notification';
  /** See `placeOf`. */
  readonly place: string;
  /** Of the last record that the view shows: an older entry never overwrites a newer one. */
  readonly position: number;
  readonly recipientId: string;
  readonly category: string;
  readonly severity: Severity;
  readonly status: NotificationStatus;
  readonly broadcastId: string | null;
  readonly tags: readonly (readonly [name: string, value: string])[];
  readonly operations: readonly OperationEntry[];
}

export interface OperationEntry {
  readonly id: string;
  readonly channel: Channel;
  readonly status: OperationStatus;
  /** See `AddressHashes`; null where it cannot be told any more. */
  readonly address: AddressHash | null;
}

export const operationStatuses = ['pending', 'sending', 'retrying', 'succeeded', 'bounced', 'failed'] as const;
export type OperationStatus = (typeof operationStatuses)[number];

export interface AddressHash {
  readonly hash: string;
  /** Key that the address is sealed under: with it the hash goes. */
  readonly keyId: string;
}

/** Keys were destroyed: what is known of addresses under them is to be forgotten, also where it comes later. */
export interface ErasureEntry {
  readonly kind: 'erasure';
  readonly recipientId: string;
  readonly keyIds: readonly string[];
}

export type ListEntry = NotificationEntry | ErasureEntry;

/** Part of a list, newest first. */
interface PageQuery {
  /** Only what comes after this in the list: the place, for operations with the operation's id behind it. */
  readonly after: string | null;
  /** Inclusive bound of the place, see `startOf`. */
  readonly from: string | null;
  /** Exclusive. */
  readonly to: string | null;
  readonly limit: number;
}

export interface NotificationQuery extends PageQuery {
  readonly kind: 'notifications';
  readonly recipientId?: string | undefined;
  readonly broadcastId?: string | undefined;
  readonly category?: string | undefined;
  readonly severity?: Severity | undefined;
  readonly status?: NotificationStatus | undefined;
  /** Has something to send on it. */
  readonly channel?: Channel | undefined;
  /** Hash of an address that something goes to. */
  readonly address?: string | undefined;
  /** All of them. */
  readonly tags: readonly (readonly [name: string, value: string])[];
}

export interface OperationQuery extends PageQuery {
  readonly kind: 'operations';
  readonly channel: Channel;
  readonly status?: OperationStatus | undefined;
  readonly address?: string | undefined;
}

export type ListQuery = NotificationQuery | OperationQuery;

/** Where something stands; of an operation with its id. */
export interface ListRow {
  readonly place: string;
  readonly operationId?: string;
}

export type ListAnswer = readonly ListRow[];
