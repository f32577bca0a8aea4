import { newId } from '#libs/kernel';
import type { ParkedItem, ParkedPage } from '#libs/operator';
import type { EventStore } from '#libs/store/port';
import { topology } from '#streams.config';
import { eventually, withStore, type Api, type TestServer } from '../../support/index.js';

/** A flow whose records are parked. */
export interface BrokenFlow {
  /** Its notification. */
  readonly id: string;
  /** The stream that holds a record which nobody can read. */
  readonly brokenStream: string;
  readonly operationStream: string;
}

/** Who parks the broken record, by name. */
export const readersOfEvents: readonly string[] = topology.handlers
  .filter(({ reads }) => reads.some(({ category }) => category === 'notification.event'))
  .map(({ name }) => name)
  .sort();

/** The records of the broken flow, once all of them are parked: its event by each reader, then its operation. */
export function allParked(api: Api): Promise<readonly ParkedItem[]> {
  return eventually(async () => {
    const { items } = (await api.request<ParkedPage>('GET', '/v1/parked?limit=200')).body;
    return items.length === readersOfEvents.length + 1 ? items : undefined;
  });
}

/**
 * Appends the operation of a good notification, and an event that no version can read where its events belong: those
 * that are handed the events park it, and the send bot parks the operation.
 * @param sample id of a notification to copy
 */
export async function appendBrokenFlow(store: EventStore, sample: string): Promise<BrokenFlow> {
  const id = newId();
  const brokenStream = `notification.event-${id}`;
  const operationStream = `notification.clientOperation-${id}`;
  const metadata = { $correlationId: id };
  await store.append(brokenStream, 'noStream', [
    { id: newId(), type: 'from.the-future.v9', data: { hello: 'world' }, metadata },
  ]);
  for await (const { type, data } of store.readStream(`notification.clientOperation-${sample}`)) {
    await store.append(operationStream, 'noStream', [{ id: newId(), type, data, metadata }]);
  }
  return { id, brokenStream, operationStream };
}

/** The same to a directory. The server must not be running. */
export function breakFlow(directory: string, sample: string): Promise<BrokenFlow> {
  return withStore(directory, (store) => appendBrokenFlow(store, sample));
}

/** Takes the broken record away. The server must not be running. */
export function mendFlow(directory: string, { brokenStream }: BrokenFlow): Promise<void> {
  return withStore(directory, (store) => store.deleteStream(brokenStream, 0n));
}

/** From here on the records of one flow are about to be parked. */
export async function restartWithBrokenFlow(
  server: TestServer,
): Promise<{ readonly flow: BrokenFlow; readonly sample: string }> {
  await server.api.putRecipient('ada', 'ada@example.com');
  const { id: sample } = await server.api.finalView(await server.api.notify('ada'));
  let flow!: BrokenFlow;
  await server.restart(async () => {
    flow = await breakFlow(server.dataDir, sample);
  });
  return { flow, sample };
}
