import type { Topology } from '#libs/runtime';
import type { EventStore } from '#libs/store/port';
import type { Vault } from '#libs/vault';

/** Injection token of `AuditServices`. */
export const AUDIT_SERVICES = Symbol('audit services');

/** Auditors read everything and write nothing: of the store, they are handed what reads all streams. */
export interface AuditServices {
  readonly store: Pick<EventStore, 'head' | 'subscribeToAll'>;
  readonly topology: Topology<never>;
  readonly vault: Vault;
}
