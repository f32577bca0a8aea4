import { keyOf, newId, type RecordedEvent } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import type { Api } from '../../support/index.js';
import { described } from './request-checks.js';

type Fields = Readonly<Record<string, unknown>>;

/** A record that no writer of this version writes. */
interface BadRecord {
  readonly category: string;
  readonly type: string;
  readonly data: unknown;
}

/** Makes a bad record, perhaps from a good one; `sample` answers the data of a record of that type. */
type RecordCheck = (sample: (type: string) => Fields) => BadRecord;

const unknownType =
  (category: string): RecordCheck =>
  () => ({ category, type: 'from.the-future.v9', data: { hello: 'world' } });

const changed =
  (category: string, type: string, fields: Fields): RecordCheck =>
  (sample) => ({ category, type, data: { ...sample(type), ...fields } });

/** By the input as the table has it. */
export const recordChecks: Readonly<Record<string, RecordCheck>> = {
  'a client operation of an unknown type': unknownType('notification.clientOperation'),
  'a client operation without a category': changed('notification.clientOperation', 'notification.send.v1', {
    category: undefined,
  }),
  'a client operation with an unknown field': changed('notification.clientOperation', 'notification.send.v1', {
    sender: 'Eve',
  }),
  'a client operation with content in clear': changed('notification.clientOperation', 'notification.send.v1', {
    content: { inline: 'Hello' },
  }),
  'a client operation whose data is null': () => ({
    category: 'notification.clientOperation',
    type: 'notification.send.v1',
    data: null,
  }),
  'a notification event of an unknown type': unknownType('notification.event'),
  'a notification event without its operations': changed('notification.event', 'notification.prepared.v1', {
    operations: undefined,
  }),
  'a notification event with an operation of an unknown type': changed(
    'notification.event',
    'notification.prepared.v1',
    {
      operations: [{ id: 'a', channel: 'fax', type: 'SendFax', operation: {} }],
    },
  ),
  'a saga record of an unknown type': unknownType('notification.saga'),
  'a saga record with a deadline that is no time': changed('notification.saga', 'notification.delivery-started.v1', {
    deadline: 'soon',
  }),
  'an email operation of an unknown type': unknownType('email.operation'),
  'an email operation to nobody': changed('email.operation', 'email.send.v1', { to: [] }),
  'an email operation with an address in clear': changed('email.operation', 'email.send.v1', {
    to: [{ address: 'ada@example.com', name: null }],
  }),
  'an email event of an unknown type': unknownType('email.event'),
  'an email event with an attempt that is no number': changed('email.event', 'email.claimed.v1', { attempt: 'first' }),
  'a Slack operation of an unknown type': unknownType('slack.operation'),
  'a Slack event of an unknown type': unknownType('slack.event'),
  'a recipient event of an unknown type': unknownType('recipient.event'),
  'a recipient event with an address in clear': changed('recipient.event', 'recipient.put.v1', {
    channels: { email: 'ada@example.com' },
  }),
  'a timer of an unknown type': unknownType('runtime.timer'),
  'a timer without its time': () => ({
    category: 'runtime.timer',
    type: 'runtime.timer-scheduled.v1',
    data: { purpose: 'notification.deliver-at' },
  }),
  'a timer whose time is a text': () => ({
    category: 'runtime.timer',
    type: 'runtime.timer-scheduled.v1',
    data: { dueAt: 'soon', purpose: 'notification.deliver-at' },
  }),
  'an internal operation of an unknown type': unknownType('notification.internalOperation'),
  'an escalation of an unknown type': unknownType('escalation.event'),
  'a record of a category that nobody reads': unknownType('weather.event'),
};

/** Asks for what hangs on a bad record; `keyOfBad` answers the key of its stream. */
type FollowUpCheck = (api: Api, keyOfBad: (input: string) => string) => Promise<string>;

/** By the input as the table has it. */
export const followUpChecks: Readonly<Record<string, FollowUpCheck>> = {
  'GET of a notification whose operation cannot be read': async (api, keyOfBad) =>
    described(await api.request('GET', `/v1/notifications/${keyOfBad('a client operation of an unknown type')}`)),
  'GET of a notification whose events cannot be read': async (api, keyOfBad) =>
    described(await api.request('GET', `/v1/notifications/${keyOfBad('a notification event of an unknown type')}`)),
  'GET of the events of a notification with one that cannot be read': async (api, keyOfBad) =>
    described(
      await api.request('GET', `/v1/notifications/${keyOfBad('a notification event of an unknown type')}/events`),
    ),
  'GET of a recipient whose events cannot be read': async (api, keyOfBad) =>
    described(await api.request('GET', `/v1/recipients/${keyOfBad('a recipient event of an unknown type')}`)),
  'a notification to a recipient whose events cannot be read': async (api, keyOfBad) => {
    const { status, reason } = await api.finalView(await api.notify(keyOfBad('a recipient event of an unknown type')));
    return `202, then ${status}: ${reason}`;
  },
  'PUT of a recipient whose events cannot be read': async (api, keyOfBad) => {
    const path = `/v1/recipients/${keyOfBad('a recipient event with an address in clear')}`;
    return described(await api.request('PUT', path, { channels: {} }));
  },
  'erasing a recipient whose events cannot be read': async (api, keyOfBad) =>
    described(await api.request('DELETE', `/v1/recipients/${keyOfBad('a recipient event of an unknown type')}`)),
};

/** Appends each bad record to a stream of its own; answers the key of the stream by input. */
export async function appendBadRecords(store: EventStore): Promise<ReadonlyMap<string, string>> {
  const samples = new Map<string, Fields>();
  for await (const { type, data } of store.readAll()) samples.set(type, data as Fields);
  const sample = (type: string): Fields => {
    const data = samples.get(type);
    if (data === undefined) throw new Error(`there is no ${type} to make a bad one from`);
    return data;
  };
  const keys = new Map<string, string>();
  for (const [input, make] of Object.entries(recordChecks)) {
    const { category, type, data } = make(sample);
    const key = newId();
    keys.set(input, key);
    await store.append(`${category}-${key}`, 'noStream', [{ id: newId(), type, data }]);
  }
  return keys;
}

interface ParkedData {
  readonly record: { readonly stream: string };
  readonly tries: readonly { readonly error: string }[];
}

/** What became of the bad records, by the key of their stream, in the words of the table. */
export async function readParked(store: EventStore): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, { consumers: string[]; reasons: Set<string> }>();
  const parked: RecordedEvent[] = [];
  const filter = { categories: ['runtime.parked'], types: ['runtime.record-parked.v1'] };
  for await (const record of store.readAll({ filter })) parked.push(record);
  for (const { stream, data } of parked) {
    const { record, tries } = data as ParkedData;
    const one = found.get(keyOf(record.stream)) ?? { consumers: [], reasons: new Set() };
    // The books of a consumer are kept by partition where several processes may share it.
    one.consumers.push(keyOf(stream).replace(/\.\d+$/, ''));
    for (const { error } of tries) one.reasons.add(reasonIn(error));
    found.set(keyOf(record.stream), one);
  }
  return new Map(
    [...found].map(([key, { consumers, reasons }]) => [
      key,
      `parked by ${consumers.sort().join(', ')}: ${[...reasons].join(' / ')}`,
    ]),
  );
}

/** The field that is wrong, or else what is. */
function reasonIn(error: string): string {
  return /(?<= is not valid: )[^:;]+/.exec(error)?.[0] ?? error;
}
