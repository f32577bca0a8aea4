import { StreamDeleted, WrongExpectedRevision, type ExpectedRevision } from '#libs/store/port';
import { clientRevision } from './append.js';
import type { Client } from './client.js';
import { writeError } from './errors.js';
import { readOnce } from './reads.js';
import { within, type Server } from './server.js';

/** Deletes softly; done twice it is the same. */
export function softDelete(server: Server, stream: string, expected: ExpectedRevision): Promise<void> {
  return server.ask(async (client) => {
    const expectedRevision = await deletionRevision(server, client, stream, expected);
    await answered(server, client.deleteStream(stream, { expectedRevision }), stream, expected);
  });
}

export function tombstone(server: Server, stream: string, expected: ExpectedRevision): Promise<void> {
  return server.ask(async (client, again) => {
    try {
      const expectedRevision = await deletionRevision(server, client, stream, expected);
      await answered(server, client.tombstoneStream(stream, { expectedRevision }), stream, expected);
    } catch (thrown) {
      // The one before has done it.
      if (!(again && thrown instanceof StreamDeleted)) throw thrown;
    }
  });
}

/** The client cannot ask that a stream be there, so it is looked for. */
async function deletionRevision(
  server: Server,
  client: Client,
  stream: string,
  expected: ExpectedRevision,
): Promise<bigint | 'any' | 'no_stream'> {
  const revision = clientRevision(expected);
  if (revision !== 'stream_exists') return revision;
  const last = await readOnce(server, client, stream, 'backwards', undefined, 1);
  if (last.length === 0) throw new WrongExpectedRevision(stream, expected, 'noStream');
  return 'any';
}

async function answered(
  { tuning }: Server,
  deleting: Promise<unknown>,
  stream: string,
  expected: ExpectedRevision,
): Promise<void> {
  try {
    await within(deleting, tuning.answerWithin);
  } catch (thrown) {
    throw writeError(thrown, { stream, expected, bytes: 0 });
  }
}
