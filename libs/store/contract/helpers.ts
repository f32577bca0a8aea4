import { newId, type Metadata, type RecordedEvent } from '#libs/kernel';
import type { NewEvent, SubscriptionBatch } from '#libs/store/port';

/** Said of what was not compared with a server of EventStoreDB yet; it follows its documentation and source. */
export const unchecked = '(not checked on a real server)';

/** A category that nothing else uses. */
export function freshCategory(): string {
  return `contract.${newId().replaceAll('-', '')}`;
}

export function freshStream(): string {
  return `${freshCategory()}-${newId()}`;
}

export function event(data: unknown = {}, type = 'contract.tested.v1', metadata?: Metadata): NewEvent {
  return { id: newId(), type, data, ...(metadata === undefined ? {} : { metadata }) };
}

export function events(count: number): NewEvent[] {
  return Array.from({ length: count }, (_, n) => event({ n }));
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

export function idsOf(records: readonly { readonly id: string }[]): string[] {
  return records.map(({ id }) => id);
}

export function revisionsOf(records: readonly RecordedEvent[]): bigint[] {
  return records.map(({ revision }) => revision);
}

/** Follows a subscription until the condition holds for all batches so far. */
export async function follow(
  batches: AsyncIterable<SubscriptionBatch>,
  enough: (records: readonly RecordedEvent[], last: SubscriptionBatch) => boolean,
): Promise<{ records: RecordedEvent[]; batches: SubscriptionBatch[] }> {
  const seen: SubscriptionBatch[] = [];
  const records: RecordedEvent[] = [];
  for await (const batch of batches) {
    seen.push(batch);
    records.push(...batch.events);
    if (enough(records, batch)) break;
  }
  return { records, batches: seen };
}
