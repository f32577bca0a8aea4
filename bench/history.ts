import { newId, type RecordedEvent } from '#libs/kernel';
import type { Append, EventStore } from '#libs/store/port';
import { openSqliteStore } from '#libs/store/sqlite';
import { createLog } from '../apps/server/log.js';
import type { StoreDecorator } from '../apps/server/parts.js';
import { startServer } from '../apps/server/server.js';
import { readSettings } from '../apps/server/settings/index.js';

const templates = 50;
const notificationsAtOnce = 100;
const placeholder = 'number-of-it';

/** Starts a server of this process on a directory. */
export async function serverOn(directory: string, decorate: StoreDecorator = (store) => store) {
  const reading = readSettings({ PORT: '0', TIDINGS_DATA_DIR: directory }, [], directory);
  if (!('settings' in reading)) throw new Error('error' in reading ? reading.error : reading.output);
  return startServer(reading.settings, createLog('warn'), decorate);
}

/** Sends a notification into the sandbox, and waits for its end. */
export async function sendOne(
  url: string,
  recipientId: string,
  tags: Readonly<Record<string, string>>,
): Promise<string> {
  const request = async (method: string, path: string, body?: object): Promise<{ readonly id: string }> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url + path, { method, ...(body && { headers, body: JSON.stringify(body) }) });
    if (!answer.ok) throw new Error(`${answer.status} for ${path}`);
    return (await answer.json()) as { id: string };
  };
  const channels = { email: { address: `${recipientId}@example.com` } };
  await request('PUT', `/v1/recipients/${recipientId}`, { channels });
  const content = { subject: `For ${recipientId}`, text: 'Your invoice is attached.' };
  const { id } = await request('POST', '/v1/notifications', { recipientId, category: 'billing', content, tags });
  await request('GET', `/v1/notifications/${id}?wait=30`);
  return id;
}

/** Everything that some notifications leave in the store, each of them sent to somebody else. */
async function recordTemplates(directory: string): Promise<readonly (readonly RecordedEvent[])[]> {
  const server = await serverOn(directory);
  const ids: string[] = [];
  for (let number = 0; number < templates; number += 1) {
    ids.push(await sendOne(server.url, `user-${number}`, { invoice: placeholder }));
  }
  await server.drain();

  const store = await openSqliteStore({ directory });
  const byId = new Map<string, RecordedEvent[]>(ids.map((id) => [id, []]));
  for await (const record of store.readAll()) byId.get(record.metadata.$correlationId ?? '')?.push(record);
  await store.close();
  return [...byId.values()];
}

/** The same records again, of another notification: every id in them is a new one. */
function copyOf(template: readonly RecordedEvent[], number: number): Append[] {
  const renamed = new Map<string, string>();
  const pattern = /[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;
  // Keys that something is sealed under stay: they are of the recipient.
  const isSealed = /sealed\.v1\.[^"]*/g;
  const rename = (text: string): string =>
    text
      .split(isSealed)
      .map((part) =>
        part
          .replaceAll(pattern, (id) => {
            if (!renamed.has(id)) renamed.set(id, newId());
            return renamed.get(id)!;
          })
          .replaceAll(placeholder, String(number)),
      )
      .flatMap((part, index) => (index === 0 ? [part] : [text.match(isSealed)![index - 1]!, part]))
      .join('');
  return template.map(({ stream, revision, id, type, data, metadata }) => {
    const [name, eventId, ...rest] = JSON.parse(rename(JSON.stringify([stream, id, data, metadata]))) as [
      string,
      string,
      unknown,
      Record<string, unknown>,
    ];
    return {
      stream: name,
      expected: revision === 0n ? ('noStream' as const) : revision - 1n,
      events: [{ id: eventId, type, data: rest[0], metadata: rest[1] }],
    };
  });
}

/**
 * Fills an empty directory with what so many notifications leave there: a few are really sent, and their records repeated
 * under other ids. Views of copies name positions of the first ones, so build them anew where that matters.
 * @returns an id of each hundred
 */
export async function fillHistory(directory: string, total: number): Promise<readonly string[]> {
  const recorded = await recordTemplates(directory);
  const store: EventStore = await openSqliteStore({ directory });
  const ids: string[] = [];
  for (let first = 0; first < total; first += notificationsAtOnce) {
    const numbers = Array.from({ length: Math.min(notificationsAtOnce, total - first) }, (_, index) => first + index);
    const copies = numbers.map((number) => copyOf(recorded[number % recorded.length]!, number));
    const asked = copies[0]!.find(({ stream }) => stream.startsWith('notification.event-'))!;
    ids.push(asked.stream.slice('notification.event-'.length));
    await store.appendAll(copies.flat());
  }
  await store.close();
  return ids;
}
