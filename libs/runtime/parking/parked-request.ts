import { deriveId, parse, streamName, type RecordedEvent } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import { runtimeRequests } from '../streams.js';

/** How parked records are released. */
export type ReleaseHow = 'redrive' | 'archive';

/** What an operator wants of parked records, wherever they are. */
export interface ParkedRequest {
  readonly how: ReleaseHow;
  /** Ids of the events by which the records were parked. */
  readonly parkings: readonly string[];
}

/** Parkings that one record asks for: some 10 KB. */
const mostParkings = 256;
/** A request that nobody has followed within a day is not followed any more; in seconds. */
const forgottenAfter = 86_400;
/** They are read where a partition with parked records is taken over. */
const keptRequests = 1_000;

/** Asks whoever has the records' partitions; resolves when that is durable. The same request has the same id. */
export async function request(
  store: EventStore,
  consumer: string,
  { how, parkings }: ParkedRequest,
  isFirst: boolean,
): Promise<void> {
  const stream = streamName(runtimeRequests, consumer);
  if (isFirst) await store.setStreamMetadata(stream, { maxCount: keptRequests, maxAge: forgottenAfter });
  for (let start = 0; start < parkings.length; start += mostParkings) {
    const some = parkings.slice(start, start + mostParkings);
    const id = deriveId(some[0]!, `${stream} ${how} ${some.join(' ')}`, 0);
    await store.append(stream, 'any', [{ id, type: `runtime.${how}-requested.v1`, data: { parkings: some } }]);
  }
}

/** What is wanted of a consumer's parked records lately, in order. */
export async function readRequests(store: EventStore, consumer: string): Promise<readonly ParkedRequest[]> {
  const requests: ParkedRequest[] = [];
  for await (const record of store.readStream(streamName(runtimeRequests, consumer))) requests.push(requestOf(record));
  return requests;
}

/** @throws InvalidRecord */
export function requestOf(record: RecordedEvent): ParkedRequest {
  const { type, data } = parse(runtimeRequests, record);
  return { how: type === 'runtime.redrive-requested.v1' ? 'redrive' : 'archive', parkings: data.parkings };
}
