import { newId } from '#libs/kernel';
import type { EventStore, NewEvent } from '#libs/store/port';

/** One such as Tidings records. @param key of the flow */
export function eventFor(key: string): NewEvent {
  const text = 'Your order is on its way and should be there tomorrow.';
  return {
    id: newId(),
    type: 'bench.told.v1',
    data: { recipient: key, category: 'orders', text, channels: ['email', 'inbox'] },
    metadata: { $correlationId: key, $causationId: key },
  };
}

/** Appends so many events to streams of 500 each. */
export async function fill(store: EventStore, events: number): Promise<void> {
  const perStream = 500;
  for (let done = 0; done < events; done += perStream * 20) {
    await store.appendAll(
      Array.from({ length: 20 }, () => {
        const key = newId();
        const batch = Array.from({ length: perStream }, () => eventFor(key));
        return { stream: `bench.event-${key}`, expected: 'noStream' as const, events: batch };
      }),
    );
  }
}
