import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventStore, StoreCapabilities } from '#libs/store/port';
import { appendTable } from './append-table.js';
import { appends } from './appends.js';
import type { ContractContext } from './context.js';
import { model } from './model.js';
import { producers } from './producers.js';
import { reads } from './reads.js';
import { retention } from './retention.js';
import { subscriptions } from './subscriptions.js';

/** A store under test. */
export interface ContractTarget {
  readonly store: EventStore;
  /** Closes the store and opens it again with what it held. */
  reopen?(): Promise<EventStore>;
  dispose(): Promise<void>;
}

/**
 * Holds a store to the port. Every test uses stream names of its own, so that the suite can run against a server
 * that holds other things.
 */
export function describeEventStoreContract(
  name: string,
  factory: () => Promise<ContractTarget>,
  capabilities: StoreCapabilities,
): void {
  describe(`${name} is an event store`, () => {
    let target: ContractTarget;
    let store: EventStore;
    const context: ContractContext = {
      store: () => store,
      capabilities,
      reopen: () =>
        target.reopen?.().then((reopened) => {
          store = reopened;
          return reopened;
        }),
    };

    beforeAll(async () => {
      target = await factory();
      store = target.store;
    });
    afterAll(() => target.dispose());

    test('that declares the capabilities it is held to', () => {
      expect(store.capabilities).toEqual(capabilities);
    });

    appendTable(context);
    appends(context);
    reads(context);
    subscriptions(context);
    retention(context);
    producers(context);
    model(context);
  });
}
