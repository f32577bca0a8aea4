import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { categoryOf, keyOf, type RecordedEvent } from '#libs/kernel';
import {
  Api,
  eventually,
  readStore,
  startServer,
  temporaryFolder,
  type Accepted,
  type ServerProcess,
} from '../support/index.js';
import { expectWholeStreams } from './support/evidence.js';

const members = Array.from({ length: 2_000 }, (_, index) => `user-${index}`);
/** So many of them have an address; the others fail. */
const known = 50;

interface Broadcast {
  readonly status: string;
  readonly counts: Readonly<Record<string, number>>;
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let api: Api;
beforeEach(async () => {
  folder = await temporaryFolder();
  await start();
});
afterEach(async () => {
  await server?.kill();
  await folder?.remove();
});

async function start(): Promise<void> {
  server = await startServer(folder.path);
  api = new Api(server.url);
}

/** Kills the server as soon as the member with this ordinal is being told; answers how many are by then. */
async function killAt(broadcastId: string, ordinal: number): Promise<number> {
  const list = `/v1/broadcasts/${broadcastId}/notifications`;
  const cursor = Buffer.from(String(ordinal)).toString('base64url');
  const { body } = await api.request<{ items: { id: string }[] }>('GET', `${list}?limit=1&cursor=${cursor}`);
  await eventually(async () => {
    const { status } = await api.request('GET', `/v1/notifications/${body.items[0]!.id}`);
    return status === 200 || undefined;
  });
  await server.kill();
  return operationsIn(await readStore(folder.path)).length;
}

function operationsIn(records: readonly RecordedEvent[]): readonly RecordedEvent[] {
  return records.filter(
    ({ stream, type }) => categoryOf(stream) === 'notification.internalOperation' && type === 'notification.send.v1',
  );
}

test('killed twice in the middle of a fan-out, every member has one notification', async () => {
  await api.request('PUT', '/v1/groups/all', {});
  for (const from of [0, 1_000]) {
    await api.request('POST', '/v1/groups/all/members', { add: members.slice(from, from + 1_000) });
  }
  for (const id of members.slice(0, known)) await api.putRecipient(id, `${id}@example.com`);
  const message = { groupId: 'all', content: { subject: 'Fire drill', text: 'At noon.' } };
  const { body } = await api.request<Accepted>('POST', '/v1/notifications', message);
  await eventually(async () => {
    const answer = await api.request<Broadcast>('GET', body.href);
    return answer.body.status === 'sending' || undefined;
  });

  for (const ordinal of [500, 1_000]) {
    const asked = await killAt(body.id, ordinal);
    expect(asked).toBeGreaterThan(ordinal);
    expect(asked).toBeLessThan(members.length);
    await start();
  }

  const completed = await eventually(async () => {
    const { body: view } = await api.request<Broadcast>('GET', `${body.href}?wait=10`);
    return view.status === 'completed' ? view : undefined;
  });
  expect(completed.counts).toMatchObject({ pending: 0, sent: known, failed: members.length - known });
  await server.stop();

  const records = await readStore(folder.path);
  expectWholeStreams(records);
  const recipients = operationsIn(records).map(({ data }) => (data as { recipientId: string }).recipientId);
  expect(recipients.sort()).toEqual([...members].sort());
  const events = records.filter(({ stream }) => categoryOf(stream) === 'notification.event');
  const keysOf = (types: readonly string[]) =>
    events.filter(({ type }) => types.includes(type)).map(({ stream }) => keyOf(stream));
  const requested = keysOf(['notification.requested.v1']);
  const ended = keysOf(['notification.sent.v1', 'notification.failed.v1']);
  for (const keys of [requested, ended]) {
    expect([keys.length, new Set(keys).size]).toEqual([members.length, members.length]);
  }
  expect(events.filter(({ type }) => type === 'notification.sent.v1')).toHaveLength(known);
}, 120_000);
