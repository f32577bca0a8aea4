import type { EventStore } from '#libs/store/port';
import type { RebuildableView, Runtime, Topology, ViewNames } from '#libs/runtime';
import type { Vault } from '#libs/vault';

/** Injection token of `OperatorServices`. */
export const OPERATOR_SERVICES = Symbol('operator services');

/** An operator sees every record there is: the store as a whole, not one client's part of it. */
export interface OperatorServices {
  readonly runtime: Runtime<never>;
  readonly topology: Topology<never>;
  readonly store: EventStore;
  readonly vault: Vault;
  /** Which version of each view serves. */
  readonly versions: ViewNames;
  /** What can be built anew. */
  readonly views: readonly RebuildableView[];
}
