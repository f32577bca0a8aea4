import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, streamName } from '#libs/kernel';
import { IndexCatchingUp, IndexFailure } from '#libs/query-index';
import { recipientEvents, recipientOwner } from '#libs/recipient';
import { fixedVersion, openClient } from '#libs/runtime';
import { eventually, TemporaryStore, withFaults, type Faults } from '#libs/testing';
import { MemoryKeyStore, Vault } from '#libs/vault';
import { notificationViews, type NotificationView, type OperationView } from '../view/notification-view.js';
import { notificationListClient } from './list-client.js';
import { NotificationLists, type NotificationFilter } from './lists.js';
import { openNotificationIndex, type NotificationIndex } from './notification-index.js';

const noBounds = { after: null, from: null, to: null, limit: 10 };
const everything = { after: undefined, limit: 200, from: undefined, to: undefined };

let directory: string;
let temporary: TemporaryStore;
let faults: Faults;
let vault: Vault;
let lists: NotificationLists;
let index: NotificationIndex['index'] | undefined;
let hashes: NotificationIndex['hashes'];
let rebuilt: string[];
let clock: number;

/** Opens the index and waits until it has caught up. */
async function start(): Promise<void> {
  await index?.close();
  const store = withFaults(temporary.store, faults);
  const log = { rebuilding: (reason: string) => void rebuilt.push(reason), failed: () => undefined };
  const opened = await openNotificationIndex({ directory, store, vault, log });
  ({ index, hashes } = opened);
  lists = new NotificationLists({
    ...opened,
    vault,
    client: openClient(store, notificationListClient, fixedVersion(1)),
  });
  await upToDate();
}

async function upToDate(): Promise<void> {
  await eventually(async () => {
    const { state, behind } = await index!.status();
    return state === 'live' && behind === 0n;
  });
}

async function viewOf(number: number, change: Partial<OperationView> = {}): Promise<NotificationView> {
  clock += 1_000;
  const at = new Date(clock).toISOString();
  const recipientId = `user-${number}`;
  const owner = recipientOwner(recipientId);
  const operation: OperationView = {
    id: newId(clock),
    type: 'SendEmail',
    status: 'succeeded',
    to: await vault.sealFor(owner, 'address', `User-${number}@Example.com`),
    attempts: 1,
    error: null,
    inDoubt: false,
    at,
    message: null,
    late: false,
    ...change,
  };
  return {
    id: newId(clock),
    recipientId,
    category: 'billing',
    severity: 'info',
    subject: await vault.sealFor(owner, 'subject', `Invoice ${number}`),
    status: 'sent',
    reason: null,
    decision: null,
    requestedAt: at,
    completedAt: at,
    deliverAt: null,
    channels: { email: { status: 'sent', operations: [operation] } },
    about: null,
    tags: {},
    sandbox: false,
    broadcastId: null,
    escalation: null,
    revision: 2,
    position: String(clock),
  };
}

async function write(...views: readonly NotificationView[]): Promise<void> {
  await temporary.store.appendAll(
    views.map((data) => ({
      stream: streamName(notificationViews, data.id, 1),
      expected: 'any',
      events: [{ id: newId(), type: 'notification.view.v1', data }],
    })),
  );
}

/** The erasure as it is recorded; the key is destroyed afterwards, if at all. */
async function recordErasure(number: number): Promise<readonly string[]> {
  const keyIds = await vault.keyIdsOf(recipientOwner(`user-${number}`));
  const event = { id: newId(), type: 'recipient.erased.v1', data: { keyIds } };
  await temporary.store.append(streamName(recipientEvents, `user-${number}`), 'any', [event]);
  return keyIds;
}

async function found(filter: Partial<NotificationFilter> = {}): Promise<readonly string[]> {
  await upToDate();
  return (await lists.notifications({ tags: [], ...filter }, everything)).items.map(({ recipientId }) => recipientId);
}

function file(): string {
  return join(directory, 'query-index', '2.1.db');
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tidings-lists-'));
  temporary = await TemporaryStore.open();
  vault = new Vault(new MemoryKeyStore());
  faults = {};
  rebuilt = [];
  clock = Date.parse('2026-01-01T00:00:00Z');
});

afterEach(async () => {
  await index?.close();
  index = undefined;
  await temporary.remove();
  rmSync(directory, { recursive: true });
});

test('it catches up, and goes on with what comes', async () => {
  await write(await viewOf(1), await viewOf(2));
  await start();
  await write(await viewOf(3));
  expect(await found()).toEqual(['user-3', 'user-2', 'user-1']);
});

test('what is shown is opened; an address is found however it is written', async () => {
  await write(await viewOf(1), await viewOf(2));
  await start();
  const { items } = await lists.notifications({ address: 'user-1@EXAMPLE.com', tags: [] }, everything);
  expect(items).toMatchObject([{ subject: 'Invoice 1' }]);
  const mails = await lists.operations({ channel: 'email', address: 'user-2@example.com' }, everything);
  expect(mails.items).toMatchObject([
    { operation: { to: 'User-2@Example.com' }, notification: { subject: 'Invoice 2' } },
  ]);
  expect((await lists.operations({ channel: 'slack' }, everything)).items).toEqual([]);
});

test('what has no longer the status that was asked for is left out', async () => {
  const view = { ...(await viewOf(1)), status: 'sending' } as const;
  await write(view);
  await start();
  expect(await found({ status: 'sending' })).toEqual(['user-1']);
  const rows = await index!.query({ kind: 'notifications', ...noBounds, tags: [], status: 'sending' });
  await write({ ...view, status: 'sent', position: String(Number(view.position) + 1) });
  expect(await found({ status: 'sending' })).toEqual([]);
  expect(await found({ status: 'sent' })).toEqual(['user-1']);

  // As it is while the index is behind.
  index!.query = async () => rows;
  expect(await found({ status: 'sending' })).toEqual([]);
});

test('stopped and started, it goes on where it was', async () => {
  await write(await viewOf(1));
  await start();
  await index!.close();
  await write(await viewOf(2));
  await start();
  expect(await found()).toEqual(['user-2', 'user-1']);
  expect(rebuilt).toEqual([]);
});

describe('it is made anew', () => {
  beforeEach(async () => {
    await write(await viewOf(1), await viewOf(2));
    await start();
    await index!.close();
    index = undefined;
  });

  test('where its file was deleted', async () => {
    rmSync(join(directory, 'query-index'), { recursive: true });
    await start();
    expect(await found()).toEqual(['user-2', 'user-1']);
  });

  test('where its file is no database', async () => {
    writeFileSync(file(), 'nonsense');
    await start();
    expect(await found()).toEqual(['user-2', 'user-1']);
    expect(rebuilt).toHaveLength(1);
  });

  test('where the addresses are hashed under another key', async () => {
    vault = new Vault(new MemoryKeyStore());
    await start();
    expect(rebuilt).toHaveLength(1);
  });

  test('where another store was put in the place of the one it was made from', async () => {
    await temporary.remove();
    temporary = await TemporaryStore.open();
    await write(await viewOf(3), await viewOf(4), await viewOf(5));
    await start();
    expect(await found()).toEqual(['user-5', 'user-4', 'user-3']);
    expect(rebuilt).toHaveLength(1);
  });

  test('where damage is found while it is asked', async () => {
    await write(...(await Promise.all(Array.from({ length: 500 }, (_, number) => viewOf(number + 10)))));
    await start();
    await index!.close();
    index = undefined;
    const { size } = statSync(file());
    const descriptor = openSync(file(), 'r+');
    writeSync(descriptor, Buffer.alloc(size - 65_536, 'x'), 0, size - 65_536, 65_536);
    closeSync(descriptor);
    await start();
    // Whether it is found by this, or before, depends on what SQLite has looked at.
    await lists.notifications({ tags: [] }, everything).catch((error: unknown) => {
      if (!(error instanceof IndexFailure) && !(error instanceof IndexCatchingUp)) throw error;
    });
    expect((await found({ recipientId: 'user-300' })).length).toBe(1);
    expect((await found({ address: 'user-400@example.com' })).length).toBe(1);
    expect(rebuilt).toHaveLength(1);
  });
});

test('files of other versions are removed once it has caught up', async () => {
  await start();
  await index!.close();
  writeFileSync(join(directory, 'query-index', '0.db'), 'old');
  await start();
  await eventually(() => !readdirSync(join(directory, 'query-index')).includes('0.db'));
});

describe('an erasure', () => {
  test('takes the hashes of addresses away, at once and for what comes later', async () => {
    const late = await viewOf(1);
    await write(await viewOf(1), await viewOf(2));
    await start();
    expect(await found({ address: 'user-1@example.com' })).toEqual(['user-1']);
    const keyIds = await recordErasure(1);
    expect(await found({ address: 'user-1@example.com' })).toEqual([]);
    // The key is there still: its destruction comes after the record.
    await write(late);
    expect(await found({ address: 'user-1@example.com' })).toEqual([]);
    await vault.destroy(keyIds);
    expect(await found({ recipientId: 'user-1' })).toEqual(['user-1', 'user-1']);
    expect(await found({ address: 'user-2@example.com' })).toEqual(['user-2']);
    const [item] = (await lists.operations({ channel: 'email' }, everything)).items.slice(-1);
    expect(item).toMatchObject({ operation: { to: '[erased]' }, notification: { subject: '[erased]' } });
  });

  test('leaves no hash in any file', async () => {
    const all = Array.from({ length: 600 }, (_, number) => number % 3);
    await write(...(await Promise.all(all.map((number) => viewOf(number)))));
    await start();
    await upToDate();
    const holds = async (number: number): Promise<boolean> => {
      const hash = Buffer.from(await hashes.of('email', `user-${number}@example.com`), 'hex');
      const files = readdirSync(join(directory, 'query-index'));
      return files.some((name) => readFileSync(join(directory, 'query-index', name)).includes(hash));
    };
    expect(await holds(1)).toBe(true);
    await recordErasure(1);
    await upToDate();
    expect([await holds(1), await holds(2)]).toEqual([false, true]);
  });

  test('leaves what the same person gets afterwards', async () => {
    await write(await viewOf(1));
    await start();
    await vault.destroy(await recordErasure(1));
    await write(await viewOf(1));
    expect(await found({ address: 'user-1@example.com' })).toEqual(['user-1']);
  });

  test('holds for an index that is made afterwards', async () => {
    await write(await viewOf(1));
    await vault.destroy(await recordErasure(1));
    await start();
    expect(await found({ address: 'user-1@example.com' })).toEqual([]);
    expect(await found()).toEqual(['user-1']);
  });
});

test('a view that cannot be read is in no list, and does not hold it up', async () => {
  const bad = { id: newId(), type: 'notification.view.v9', data: {} };
  await temporary.store.append(streamName(notificationViews, newId(), 1), 'noStream', [bad]);
  await write(await viewOf(1));
  await start();
  expect(await found()).toEqual(['user-1']);
});
