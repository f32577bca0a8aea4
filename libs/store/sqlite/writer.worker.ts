import { parentPort, workerData } from 'node:worker_threads';
import type Database from 'libsql';
import { Appender } from './appender.js';
import { failureOf } from './failure.js';
import { lockDirectory } from './lock.js';
import type { BatchReply, ReadyReply, Reply, ScavengeReply, WriterRequest } from './messages.js';
import type { Tuning } from './options.js';
import { databaseFile, openForWriting } from './schema.js';
import { scavengeStep } from './scavenge.js';

/** The one writer of a store's files: each message is one transaction, answered in order. */
const tuning = workerData as Tuning;
const port = parentPort!;
const file = databaseFile(tuning.directory);

function answer(work: () => BatchReply | ScavengeReply | ReadyReply | undefined): void {
  try {
    port.postMessage({ value: work() } satisfies Reply<unknown>);
  } catch (thrown) {
    port.postMessage({ failure: failureOf(thrown, file) } satisfies Reply<unknown>);
  }
}

/** Leaves one file behind where it can; where the disk is full the log stays, and the next start goes on from it. */
function tryCheckpoint(database: Database.Database): void {
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // Nothing is lost: what the log holds is durable.
  }
}

function open(): { handle(request: WriterRequest): BatchReply | ScavengeReply | undefined; head: number } {
  const lock = lockDirectory(tuning.directory);
  try {
    const database = openForWriting(tuning);
    const appender = new Appender(database);
    return {
      head: appender.position,
      handle(request) {
        switch (request.kind) {
          case 'batch':
            return appender.run(request);
          case 'scavenge':
            return scavengeStep(database, request, appender.position);
          case 'close':
            tryCheckpoint(database);
            database.close();
            lock.release();
            return undefined;
        }
      },
    };
  } catch (thrown) {
    lock.release();
    throw thrown;
  }
}

answer(() => {
  const { handle, head } = open();
  port.on('message', (request: WriterRequest) => {
    answer(() => handle(request));
    if (request.kind === 'close') port.close();
  });
  return { head };
});
