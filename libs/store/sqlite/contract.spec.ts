import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeEventStoreContract } from '#libs/store/contract';
import { openSqliteStore } from './sqlite-store.js';

describeEventStoreContract(
  'the SQLite store',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tidings-store-'));
    let store = await openSqliteStore({ directory });
    return {
      store,
      async reopen() {
        await store.close();
        store = await openSqliteStore({ directory });
        return store;
      },
      async dispose() {
        await store.close();
        await rm(directory, { recursive: true });
      },
    };
  },
  { idempotentAny: true, idempotenceWindow: 256, groupCommit: true, scavenge: true },
);
