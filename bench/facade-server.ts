import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFacade } from '#libs/store/facade';
import { openSqliteStore } from '#libs/store/sqlite';

/** What stands for a server of EventStoreDB: a facade that takes appends, in a process of its own. Tells its parent the port. */
const directory = await mkdtemp(join(tmpdir(), 'tidings-bench-'));
const store = await openSqliteStore({ directory });
const facade = await startFacade(store, { writable: true });
process.send?.({ port: facade.port });
process.on('disconnect', () => {
  void (async () => {
    await facade.close();
    await store.close();
    await rm(directory, { recursive: true });
    process.exit();
  })();
});
