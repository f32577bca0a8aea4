import { categoryOf, correlationOf, keyOf, parse, streamName, type RecordedEvent } from '#libs/kernel';
import {
  bookkeepingKey,
  consumerOfKey,
  identityOf,
  partitionOf,
  partitionsOf,
  runtimeCheckpoints,
  runtimeParked,
  runtimeRetries,
  type AnyHandler,
} from '#libs/runtime';
import type { OperatorServices } from '../operator-services.js';
import { foldHandling, type Bookkeeping, type Handling } from './handling.js';

/** What one consumer did with a record. */
export interface ConsumerHandling extends Handling {
  readonly consumer: string;
  readonly role: string;
}

type Services = Pick<OperatorServices, 'store' | 'topology' | 'runtime'>;

/** What every consumer that reads the record's category did with it, also those of other processes. */
export async function readHandling(services: Services, record: RecordedEvent): Promise<readonly ConsumerHandling[]> {
  const category = categoryOf(record.stream);
  const handlers = services.topology.handlers.filter(({ reads }) =>
    reads.some((stream) => stream.category === category),
  );
  // First how far they are: what they note down of a record they have passed is there by then.
  const positions = await Promise.all(handlers.map((handler) => positionOf(services, handler, correlationOf(record))));
  const bookkeeping = await bookkeepingOf(services, record);
  return handlers.map(({ name, role }, index) => ({
    consumer: name,
    role,
    ...foldHandling(record.created, bookkeeping.get(name) ?? [], positions[index]! >= record.position),
  }));
}

/** How far the consumer is with a flow: exact where this process has the flow's partition, else the last checkpoint. */
async function positionOf({ runtime, store }: Services, handler: AnyHandler, flow: string): Promise<bigint> {
  const { name } = handler;
  const { split } = runtime;
  if (split === undefined) return 0n;
  const partition = partitionOf(flow, partitionsOf(handler, split.count));
  const known = runtime.consumer(name)?.positionOf(partition);
  if (known !== undefined) return known;
  const stream = streamName(runtimeCheckpoints, bookkeepingKey(handler, partition, split));
  for await (const record of store.readStream(stream, { direction: 'backwards', limit: 1 })) {
    return BigInt(parse(runtimeCheckpoints, record).data.position);
  }
  return 0n;
}

/** What the consumers have noted down of the record, by consumer. All of it was appended after the record. */
async function bookkeepingOf({ store }: Services, record: RecordedEvent): Promise<Map<string, Bookkeeping[]>> {
  const found = new Map<string, Bookkeeping[]>();
  const categories = [runtimeRetries.category, runtimeParked.category];
  const wanted = identityOf(record);
  for await (const stored of store.readAll({ from: record.position, filter: { categories } })) {
    const isRetry = categoryOf(stored.stream) === runtimeRetries.category;
    const entry = isRetry ? parse(runtimeRetries, stored) : parse(runtimeParked, stored);
    if ('epoch' in entry.data || identityIn(entry as Bookkeeping) !== wanted) continue;
    const consumer = consumerOfKey(keyOf(stored.stream));
    const entries = found.get(consumer);
    if (entries === undefined) found.set(consumer, [entry as Bookkeeping]);
    else entries.push(entry as Bookkeeping);
  }
  return found;
}

function identityIn({ data }: Bookkeeping): string {
  return identityOf('record' in data ? data.record : { stream: data.stream, id: data.recordId });
}
