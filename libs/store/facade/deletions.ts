import type { handleUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import sharedMessages from '@eventstore/db-client/generated/shared_pb.js';
import streamsMessages from '@eventstore/db-client/generated/streams_pb.js';
import type { DeleteReq, DeleteResp, TombstoneReq, TombstoneResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { EventStore } from '#libs/store/port';
import { failureOf, invalidArgument } from './errors.js';
import { streamOf } from './messages.js';
import { expectedOf } from './proposals.js';

/** Streams.Delete: a soft delete. The port does not tell where it stands, so no position is answered. */
export function deleteHandler(
  store: EventStore,
  onError: (error: unknown) => void,
): handleUnaryCall<DeleteReq, DeleteResp> {
  return ({ request }, callback) =>
    answer(callback, onError, async () => {
      const options = request.getOptions() ?? missing();
      const stream = streamOf(options.getStreamIdentifier());
      await store.deleteStream(stream, expectedOf(options, options.getRevision()));
      return new streamsMessages.DeleteResp().setNoPosition(new sharedMessages.Empty());
    });
}

/** Streams.Tombstone. */
export function tombstoneHandler(
  store: EventStore,
  onError: (error: unknown) => void,
): handleUnaryCall<TombstoneReq, TombstoneResp> {
  return ({ request }, callback) =>
    answer(callback, onError, async () => {
      const options = request.getOptions() ?? missing();
      const stream = streamOf(options.getStreamIdentifier());
      await store.tombstoneStream(stream, expectedOf(options, options.getRevision()));
      return new streamsMessages.TombstoneResp().setNoPosition(new sharedMessages.Empty());
    });
}

function missing(): never {
  throw invalidArgument('the options are missing');
}

function answer<Response>(
  callback: sendUnaryData<Response>,
  onError: (error: unknown) => void,
  work: () => Promise<Response>,
): void {
  work().then(
    (response) => callback(null, response),
    (error: unknown) => {
      callback(failureOf(error instanceof TypeError ? invalidArgument(error.message) : error, onError));
    },
  );
}
