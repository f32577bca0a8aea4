import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeEventStoreContract } from '#libs/store/contract';
import { startFacade } from '#libs/store/facade';
import { openSqliteStore } from '#libs/store/sqlite';
import { notRun } from '#libs/testing';
import { parseConnection } from './connection.js';
import { openEventStoreDb } from './event-store-db.js';

const capabilities = { idempotentAny: true, groupCommit: false, scavenge: false };

describeEventStoreContract(
  'the EventStoreDB client, with the facade as its server,',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tidings-facade-'));
    const sqlite = await openSqliteStore({ directory });
    const facade = await startFacade(sqlite, { writable: true });
    const connection = parseConnection(`esdb://127.0.0.1:${facade.port}?tls=false`);
    let store = await openEventStoreDb({ connection });
    return {
      store,
      async reopen() {
        await store.close();
        store = await openEventStoreDb({ connection });
        return store;
      },
      async dispose() {
        await store.close();
        await facade.close();
        await sqlite.close();
        await rm(directory, { recursive: true });
      },
    };
  },
  capabilities,
);

const url = process.env.TIDINGS_TEST_EVENTSTORE_URL;
if (url === undefined) {
  notRun('the contract of the store against a server of EventStoreDB', 'TIDINGS_TEST_EVENTSTORE_URL names none');
} else {
  describeEventStoreContract(
    'the EventStoreDB client, with a server,',
    async () => {
      const connection = parseConnection(url);
      const store = await openEventStoreDb({ connection });
      return { store, dispose: () => store.close() };
    },
    capabilities,
  );
}
