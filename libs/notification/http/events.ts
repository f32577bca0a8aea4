import { recordView, type RecordView } from '#libs/http';
import { InvalidRecord, parse, type RecordedEvent, type RecordOf, type StreamDefinition } from '#libs/kernel';
import type { Channel } from '#libs/recipient';
import { runtimeTimers, type StreamReader } from '#libs/runtime';
import type { Vault } from '#libs/vault';
import { channelStreams } from '../channels.js';
import { notificationEvents } from '../event/notification.js';
import { deliverAtTimerKey } from '../handlers/deliver-at.js';
import { retentionTimerKey } from '../handlers/retention.reactor.js';
import { notificationClientOperations } from '../operations/client.js';
import { notificationInternalOperations } from '../operations/internal.js';
import { notificationSagas } from '../saga/delivery.js';
import type { notificationClient } from './notification-client.js';

type Reader = StreamReader<(typeof notificationClient.looksUp)[number]>;

/** A record as it stands, with its type known or else with why it cannot be read. */
interface TrailRecord<Stream extends StreamDefinition = StreamDefinition> {
  readonly stored: RecordedEvent;
  readonly readable?: RecordOf<Stream>;
  readonly unreadable?: string;
}

/** Every record of a notification in all streams, in global order, also those that cannot be read. */
export async function readTrail(reader: Reader, id: string): Promise<readonly TrailRecord[]> {
  const [own, sagas] = await Promise.all([
    readStream(reader, notificationEvents, id),
    readStream(reader, notificationSagas, id),
  ]);
  const others = await Promise.all([
    readStream(reader, notificationClientOperations, id),
    readStream(reader, notificationInternalOperations, id),
    readStream(reader, runtimeTimers, deliverAtTimerKey(id)),
    readStream(reader, runtimeTimers, `${id}.delivery-deadline`),
    readStream(reader, runtimeTimers, retentionTimerKey(id)),
    ...operationsNamed(own, sagas).flatMap(([operationId, channel]) => [
      readStream(reader, channelStreams[channel].operations, operationId),
      readStream(reader, channelStreams[channel].events, operationId),
    ]),
  ]);
  const records: TrailRecord[] = [...own, ...sagas, ...others.flat()];
  return records.sort((a, b) => (a.stored.position < b.stored.position ? -1 : 1));
}

export type EventView = RecordView;

export function eventView(vault: Vault, { stored, unreadable }: TrailRecord): Promise<EventView> {
  return recordView(vault, stored, unreadable);
}

/** By id, with their channels, the mail to the team included. The decision and the saga name the operations both, so that one of the two is enough. */
function operationsNamed(
  own: readonly TrailRecord<typeof notificationEvents>[],
  sagas: readonly TrailRecord<typeof notificationSagas>[],
): readonly [string, Channel][] {
  const named = new Map<string, Channel>();
  for (const { readable } of own) {
    if (readable?.type !== 'notification.prepared.v1') continue;
    for (const { id, channel } of readable.data.operations) named.set(id, channel);
  }
  for (const { readable } of sagas) {
    for (const { operationId, channel } of readable?.data.operations ?? []) named.set(operationId, channel);
  }
  for (const { readable } of own) {
    if (readable?.type === 'notification.internal-team-notified.v1') named.set(readable.data.operationId, 'email');
  }
  return [...named];
}

async function readStream<Stream extends Parameters<Reader['readUnchecked']>[0]>(
  reader: Reader,
  stream: Stream,
  key: string,
): Promise<TrailRecord<Stream>[]> {
  return (await reader.readUnchecked(stream, key)).map((stored) => {
    try {
      return { stored, readable: parse(stream, stored) };
    } catch (error) {
      if (!(error instanceof InvalidRecord)) throw error;
      return { stored, unreadable: error.problems.join('; ') };
    }
  });
}
