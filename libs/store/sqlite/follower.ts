import { existsSync } from 'node:fs';
import { StoreUnusable, Tail, type ReadableStore, type StoreUnavailable } from '#libs/store/port';
import { Channel, readyOrEnded } from './channel.js';
import type { ReaderRequest } from './messages.js';
import { withDefaults } from './options.js';
import { Reading } from './reading.js';
import { databaseFile } from './schema.js';

/** Reads a store that another process of this machine writes. */
export interface SqliteFollower extends ReadableStore {
  /** Tells that the store goes up to here now: what came is read by those who wait for it. */
  advance(head: bigint): void;
  close(): Promise<void>;
}

/**
 * Opens the store of a directory to read it, beside the process that has the directory for itself.
 * @param head position of its last record
 * @throws StoreUnusable where there is none
 */
export async function followSqliteStore(directory: string, head: bigint): Promise<SqliteFollower> {
  const file = databaseFile(directory);
  // Opening would make the file.
  if (!existsSync(file)) throw new StoreUnusable(`${file} does not exist`);
  const opened: { follower?: Follower } = {};
  const onEnd = (error: StoreUnavailable) => opened.follower?.fail(error);
  // Nothing is kept in memory: whoever follows reads from the disk, which the other process has just written.
  const tuning = withDefaults({ directory, tailEvents: 0, tailLength: 0 });
  const reader = new Channel<ReaderRequest>(new URL('./reader.worker.js', import.meta.url), tuning, onEnd);
  await readyOrEnded(reader);
  opened.follower = new Follower(reader, new Tail(head, 0, 0));
  return opened.follower;
}

class Follower extends Reading implements SqliteFollower {
  #failure: StoreUnavailable | undefined;
  #closed: Promise<void> | undefined;

  advance(head: bigint): void {
    this.tail.jump(head);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.tail.end();
    // Reads asked for in this turn are sent in the next.
    await new Promise((resolve) => setImmediate(resolve));
    await this.reader.close({ kind: 'close' });
  }

  isOpen(): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#closed === undefined;
  }

  /** The thread is gone: everything from now on is rejected. */
  fail(error: StoreUnavailable): void {
    this.#failure ??= error;
    this.tail.end();
  }
}
