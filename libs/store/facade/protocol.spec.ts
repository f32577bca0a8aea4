import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { credentials } from '@grpc/grpc-js';
import sharedMessages from '@eventstore/db-client/generated/shared_pb.js';
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streamsMessages from '@eventstore/db-client/generated/streams_pb.js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { newId } from '#libs/kernel';
import { TemporaryFacade } from '#libs/testing/facade';

// What clients in other languages ask for and this one does not.

let fixture: TemporaryFacade;
let streams: StreamsClient;

const { Options } = streamsMessages.ReadReq;
const empty = new sharedMessages.Empty();
const invalidArgument = 3;

beforeAll(async () => {
  fixture = await TemporaryFacade.open();
  streams = new StreamsClient(`127.0.0.1:${fixture.facade.port}`, credentials.createInsecure());
});

afterAll(async () => {
  streams.close();
  await fixture.remove();
});

async function read(options?: ReadReq.Options): Promise<ReadResp[]> {
  const responses: ReadResp[] = [];
  const call = streams.read(new streamsMessages.ReadReq().setOptions(options));
  for await (const response of call as AsyncIterable<ReadResp>) responses.push(response);
  return responses;
}

function ofStream(stream: string): ReadReq.Options {
  const identifier = new sharedMessages.StreamIdentifier().setStreamName(Buffer.from(stream));
  return new Options()
    .setStream(new Options.StreamOptions().setStreamIdentifier(identifier).setStart(empty))
    .setNoFilter(empty)
    .setCount('100');
}

test.each(['00000000-0000-7000-8000-000000000001', 'ffffffff-ffff-8fff-bfff-fffffffffffe', newId()])(
  'the UUID %s as two numbers',
  async (id) => {
    const stream = `protocol.uuid-${id}`;
    await fixture.store.append(stream, 'noStream', [{ id, type: 'protocol.v1', data: {} }]);
    const structured = new Options.UUIDOption().setStructured(empty);
    const [response] = await read(ofStream(stream).setUuidOption(structured));
    const uuid = response!.getEvent()!.getEvent()!.getId()!;
    expect(uuid.hasString()).toBe(false);
    const hex = [uuid.getStructured()!.getMostSignificantBits(), uuid.getStructured()!.getLeastSignificantBits()]
      .map((bits) => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0'))
      .join('');
    expect(hex).toBe(id.replaceAll('-', ''));

    const proposed = new streamsMessages.AppendReq.ProposedMessage().setId(uuid).setData(Buffer.from('{}'));
    proposed.getMetadataMap().set('type', 'protocol.v1').set('content-type', 'application/json');
    const identifier = new sharedMessages.StreamIdentifier().setStreamName(Buffer.from(`${stream}.copy`));
    await new Promise((resolve, reject) => {
      const call = streams.append((error, answer) => (error === null ? resolve(answer) : reject(error)));
      const options = new streamsMessages.AppendReq.Options().setStreamIdentifier(identifier).setNoStream(empty);
      call.write(new streamsMessages.AppendReq().setOptions(options));
      call.write(new streamsMessages.AppendReq().setProposedMessage(proposed));
      call.end();
    });
    for await (const record of fixture.store.readStream(`${stream}.copy`)) expect(record.id).toBe(id);
  },
);

test('a filtered read of all streams', async () => {
  for (const stream of ['protocol.read-1', 'protocol.other-1', 'protocol.read-2']) {
    await fixture.store.append(stream, 'any', [{ id: newId(), type: 'protocol.v1', data: {} }]);
  }
  const expression = new Options.FilterOptions.Expression().setRegex('^protocol\\.read-');
  const filter = new Options.FilterOptions().setStreamIdentifier(expression).setMax(32);
  const all = () =>
    new Options().setAll(new Options.AllOptions().setStart(empty)).setFilter(filter).setReadDirection(0);
  const names = (responses: ReadResp[]) =>
    responses.map((response) =>
      Buffer.from(response.getEvent()!.getEvent()!.getStreamIdentifier()!.getStreamName_asU8()).toString(),
    );
  expect(names(await read(all().setCount('100')))).toEqual(['protocol.read-1', 'protocol.read-2']);
  expect(names(await read(all().setCount('1')))).toEqual(['protocol.read-1']);
  // As in EventStoreDB, a regular expression goes before prefixes.
  expression.setPrefixList(['protocol.other-']);
  expect(names(await read(all().setCount('100')))).toEqual(['protocol.read-1', 'protocol.read-2']);
});

test.each<[string, ReadReq.Options | undefined]>([
  ['without options', undefined],
  ['of neither a stream nor all', new Options().setCount('1')],
  ['of a stream without a name', ofStream('')],
  ['by a filter on nothing', new Options().setAll(new Options.AllOptions()).setFilter(new Options.FilterOptions())],
  [
    'that subscribes backwards',
    ofStream('protocol-1').setReadDirection(1).setSubscription(new Options.SubscriptionOptions()),
  ],
])('a read %s is refused', async (_, options) => {
  await expect(read(options)).rejects.toMatchObject({ code: invalidArgument });
});

test('a batch without options is refused', async () => {
  const call = streams.batchAppend();
  const refused = new Promise((resolve) => call.on('error', resolve));
  call.resume();
  call.write(new streamsMessages.BatchAppendReq().setCorrelationId(new sharedMessages.UUID().setString(newId())));
  expect(await refused).toMatchObject({ code: invalidArgument });
});
