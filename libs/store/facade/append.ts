import type { sendUnaryData, ServerReadableStream } from '@grpc/grpc-js';
import sharedMessages from '@eventstore/db-client/generated/shared_pb.js';
import streamsMessages from '@eventstore/db-client/generated/streams_pb.js';
import type { AppendReq, AppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import { WrongExpectedRevision, type AppendResult, type EventStore } from '#libs/store/port';
import { failureOf, invalidArgument } from './errors.js';
import { streamOf } from './messages.js';
import { expectedOf, Proposals } from './proposals.js';

type AppendCall = ServerReadableStream<AppendReq, AppendResp>;

/** Streams.Append: one append, its events in messages of their own. */
export function appendHandler(store: EventStore, onError: (error: unknown) => void) {
  return (call: AppendCall, callback: sendUnaryData<AppendResp>): void => {
    append(call, store).then(
      (response) => callback(null, response),
      (error: unknown) => callback(failureOf(error, onError)),
    );
  };
}

async function append(call: AppendCall, store: EventStore): Promise<AppendResp> {
  let options: AppendReq.Options | undefined;
  let proposals: Proposals | undefined;
  for await (const request of call as AsyncIterable<AppendReq>) {
    const message = request.getProposedMessage();
    if (message !== undefined && proposals !== undefined) {
      proposals.add(message);
      continue;
    }
    options = request.getOptions();
    proposals = new Proposals(streamOf(options?.getStreamIdentifier()));
  }
  if (options === undefined || proposals === undefined) throw invalidArgument('the options are missing');
  try {
    return success(await proposals.append(store, expectedOf(options, options.getRevision())));
  } catch (error) {
    if (error instanceof WrongExpectedRevision) return wrongExpectedVersion(error);
    throw error;
  }
}

function success({ revision, position }: AppendResult): AppendResp {
  const message = new streamsMessages.AppendResp.Success().setCurrentRevision(String(revision));
  if (position === undefined) message.setNoPosition(new sharedMessages.Empty());
  else {
    message.setPosition(
      new streamsMessages.AppendResp.Position()
        .setCommitPosition(String(position))
        .setPreparePosition(String(position)),
    );
  }
  return new streamsMessages.AppendResp().setSuccess(message);
}

function wrongExpectedVersion({ expected, actual }: WrongExpectedRevision): AppendResp {
  const message = new streamsMessages.AppendResp.WrongExpectedVersion();
  const empty = new sharedMessages.Empty();
  if (actual === 'noStream') message.setCurrentNoStream(empty);
  else message.setCurrentRevision(String(actual));
  if (expected === 'any') message.setExpectedAny(empty);
  else if (expected === 'noStream') message.setExpectedNoStream(empty);
  else if (expected === 'streamExists') message.setExpectedStreamExists(empty);
  else message.setExpectedRevision(String(expected));
  return new streamsMessages.AppendResp().setWrongExpectedVersion(message);
}
