import { categoryOf, correlationOf, keyOf, parse, type RecordedEvent } from '#libs/kernel';
import {
  bookkeepingKey,
  consumerOfKey,
  EarlierBooks,
  identityOf,
  partitionOf,
  partitionsOf,
  runtimeParked,
  runtimeRetries,
  savedPosition,
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
  const passed = await Promise.all(handlers.map((handler) => isPassed(services, handler, record)));
  const bookkeeping = await bookkeepingOf(services, record);
  return handlers.map(({ name, role }, index) => ({
    consumer: name,
    role,
    ...foldHandling(record.created, bookkeeping.get(name) ?? [], passed[index]!),
  }));
}

/** Whether the consumer is past the record, now or while flows were split differently. */
async function isPassed({ runtime, store }: Services, handler: AnyHandler, record: RecordedEvent): Promise<boolean> {
  const { split } = runtime;
  if (split === undefined) return false;
  const flow = correlationOf(record);
  const partition = partitionOf(flow, partitionsOf(handler, split.count));
  const here = runtime.consumer(handler.name)?.positionOf(partition);
  const position = here ?? (await savedPosition(store, bookkeepingKey(handler, partition, split)));
  if (position !== undefined && position >= record.position) return true;
  if (!handler.partitioned || record.position > split.since) return false;
  const earlier = await EarlierBooks.load(store, handler, split.before);
  return earlier.isDone(flow, record.position);
}

/** What the consumers have noted down of the record, by consumer. All of it was appended after the record. */
async function bookkeepingOf({ store }: Services, record: RecordedEvent): Promise<Map<string, Bookkeeping[]>> {
  const found = new Map<string, Bookkeeping[]>();
  const categories = [runtimeRetries.category, runtimeParked.category];
  const wanted = identityOf(record);
  const parkings = new Set<string>();
  for await (const stored of store.readAll({ from: record.position, filter: { categories } })) {
    const isRetry = categoryOf(stored.stream) === runtimeRetries.category;
    const entry = isRetry ? parse(runtimeRetries, stored) : parse(runtimeParked, stored);
    if ('epoch' in entry.data || identityIn(entry as Bookkeeping) !== wanted) continue;
    if (entry.type === 'runtime.record-parked.v1') {
      // Taken over from where flows were split differently.
      if (parkings.has(entry.id)) continue;
      parkings.add(entry.id);
    }
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
