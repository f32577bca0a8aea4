import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '#libs/kernel';
import { startFacade, type Facade } from '#libs/store/facade';
import type { EventStore } from '#libs/store/port';
import { openSqliteStore } from '#libs/store/sqlite';
import { testOnlyCertificate, testOnlyKey } from '#libs/testing';
import { parseConnection } from './connection.js';
import { openEventStoreDb } from './event-store-db.js';

let directory: string;
let behind: EventStore;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidings-connecting-'));
  behind = await openSqliteStore({ directory });
});
afterAll(async () => {
  await behind.close();
  await rm(directory, { recursive: true });
});

async function append(url: string, ca?: string): Promise<void> {
  const store = await openEventStoreDb({ connection: parseConnection(url), ca, patience: 500 });
  try {
    const stream = `connecting.tested-${newId()}`;
    await store.append(stream, 'noStream', [{ id: newId(), type: 'connecting.tested.v1', data: {} }]);
    const types: string[] = [];
    for await (const { type } of store.readStream(stream)) types.push(type);
    expect(types).toEqual(['connecting.tested.v1']);
    for await (const { events } of store.subscribeToAll()) if (events.some((one) => one.stream === stream)) break;
  } finally {
    await store.close();
  }
}

test('a cluster is asked who its leader is', async () => {
  const asked: string[] = [];
  const facade = await startFacade(behind, { writable: true, onCall: (path) => void asked.push(path) });
  await append(`esdb+discover://127.0.0.1:${facade.port}?tls=false`);
  await append(`esdb://127.0.0.1:1,127.0.0.1:${facade.port}?tls=false`);
  expect(asked).toContain('/event_store.client.gossip.Gossip/Read');
  await facade.close();
});

describe('with TLS', () => {
  let facade: Facade;

  beforeAll(async () => {
    facade = await startFacade(behind, {
      writable: true,
      tls: { cert: testOnlyCertificate, key: testOnlyKey },
      users: [{ name: 'ada', password: 'p@ss:word' }],
    });
  });
  afterAll(() => facade.close());

  const url = (login: string) => `esdb://${login}@localhost:${facade.port}`;

  test('user and password are sent, and the certificate is checked', async () => {
    await append(url('ada:p%40ss%3Aword'), testOnlyCertificate);
    await expect(append(url('ada:p%40ss%3Aword'))).rejects.toThrow(/certificate/);
  });

  test('a wrong password is said, and not shown', async () => {
    const refused = append(url('ada:hidden'), testOnlyCertificate);
    await expect(refused).rejects.toThrow(/EventStoreDB at localhost:\d+: .*UNAUTHENTICATED/);
    await expect(refused).rejects.not.toThrow(/hidden/);
  });
});

test('without a server no code of the client is loaded', async () => {
  const library = new URL('./index.js', import.meta.url).href;
  const script = `
    import { Module } from 'node:module';
    await import(${JSON.stringify(library)});
    console.log(JSON.stringify(Object.keys(Module._cache).filter((file) => file.includes('db-client'))));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  expect(JSON.parse(stdout)).toEqual([]);
});
