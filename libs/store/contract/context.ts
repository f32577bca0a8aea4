import type { EventStore, StoreCapabilities } from '#libs/store/port';

/** What the parts of the suite share. */
export interface ContractContext {
  store(): EventStore;
  readonly capabilities: StoreCapabilities;
  /** Undefined where the target cannot be opened again. */
  reopen(): Promise<EventStore> | undefined;
}
