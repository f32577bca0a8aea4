import { isUuid } from '#libs/kernel';
import type { ExpectedRevision, NewEvent } from './event-store.js';

/** Controls and halves of characters. */
export const unstorable = /[\0-\x1f]|\p{Cs}/u;
const checkedNames = new Set<string>();

/** What every store asks of the stream and the revision of a write. @throws TypeError */
export function checkTarget(stream: string, expected: ExpectedRevision): void {
  checkName('stream name', stream);
  if (stream.indexOf('-') === stream.length - 1)
    throw new TypeError(`the stream name ${stream} has nothing after its hyphen`);
  if (typeof expected === 'bigint' && expected < 0n) throw new TypeError(`${stream}: ${expected} is not a revision`);
}

/** What every store asks of the id, type and data of an event; answers the data as JSON. @throws TypeError */
export function checkEvent(stream: string, event: NewEvent): string {
  if (typeof event.id !== 'string' || !isUuid(event.id)) {
    throw new TypeError(`${stream}: the event id ${String(event.id)} is not a lower-case UUID`);
  }
  checkName('event type', event.type);
  const data = JSON.stringify(event.data) as string | undefined;
  if (data === undefined) throw new TypeError(`${stream}: the data of ${event.type} is not JSON`);
  return data;
}

function checkName(what: string, name: string): void {
  if (checkedNames.has(name)) return;
  if (typeof name !== 'string' || name === '') throw new TypeError(`the ${what} is empty`);
  if (name.length > 1024) throw new TypeError(`the ${what} ${name.slice(0, 40)}… is longer than 1024 characters`);
  if (unstorable.test(name))
    throw new TypeError(`the ${what} ${JSON.stringify(name)} holds a control character or half a character`);
  if (what === 'event type' && checkedNames.size < 1000) checkedNames.add(name);
}
