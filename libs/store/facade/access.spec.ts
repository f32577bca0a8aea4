import { afterEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessDeniedError, jsonEvent, type EventStoreDBClient } from '@eventstore/db-client';
import { newId } from '#libs/kernel';
import { startFacade, type FacadeOptions } from '#libs/store/facade';
import { testOnlyCertificate, testOnlyKey } from '#libs/testing';
import { TemporaryFacade } from '#libs/testing/facade';

const tls = { cert: testOnlyCertificate, key: testOnlyKey };
const user = { name: 'auditor', password: 'pässword:canary' };
const stream = 'access.kept-1';
const record = () => ({ id: newId(), type: 'access.v1', data: {} });
const event = () => jsonEvent(record());

let fixture: TemporaryFacade;
let folder: string | undefined;

async function open(options: Partial<FacadeOptions>): Promise<void> {
  fixture = await TemporaryFacade.open(options);
  await fixture.store.append(stream, 'any', [record()]);
}

afterEach(async () => {
  await fixture?.remove();
  if (folder !== undefined) await rm(folder, { recursive: true });
  folder = undefined;
});

async function connectWithTls(login: string): Promise<EventStoreDBClient> {
  folder = await mkdtemp(join(tmpdir(), 'tidings-facade-'));
  const ca = join(folder, 'ca.pem');
  await writeFile(ca, tls.cert);
  return fixture.connect(`esdb://${login}localhost:${fixture.facade.port}`, `tlsCAFile=${encodeURIComponent(ca)}`);
}

async function read(client: EventStoreDBClient): Promise<number> {
  let count = 0;
  for await (const { event: recorded } of client.readStream(stream)) count += recorded === undefined ? 0 : 1;
  return count;
}

describe('a facade that is not writable', () => {
  test.each<[string, (client: EventStoreDBClient) => Promise<unknown>]>([
    ['append', (client) => client.appendToStream(stream, event())],
    [
      'append by itself',
      (client) => client.appendToStream(stream, event(), { credentials: { username: 'a', password: 'b' } }),
    ],
    ['delete', (client) => client.deleteStream(stream)],
    ['tombstone', (client) => client.tombstoneStream(stream)],
    ['metadata', (client) => client.setStreamMetadata(stream, { maxCount: 1 })],
  ])('denies to write: %s', async (_, write) => {
    await open({ writable: false });
    await expect(write(fixture.client)).rejects.toThrow(AccessDeniedError);
    expect(await read(fixture.client)).toBe(1);
    expect(await fixture.store.getStreamMetadata(stream)).toEqual({});
  });
});

describe('over TLS with users', () => {
  const login = `${user.name}:${encodeURIComponent(user.password)}@`;

  test('who has the password may read and write', async () => {
    await open({ tls, users: [user] });
    const client = await connectWithTls(login);
    expect(await read(client)).toBe(1);
    await client.appendToStream(stream, event());
    expect(await read(client)).toBe(2);
  });

  test.each([
    ['nobody', ''],
    ['a wrong password', `${user.name}:wrong@`],
    ['another name', `other:${encodeURIComponent(user.password)}@`],
  ])('%s may not', async (_, other) => {
    await open({ tls, users: [user] });
    const client = await connectWithTls(other);
    await expect(read(client)).rejects.toThrow(AccessDeniedError);
    await expect(client.appendToStream(stream, event())).rejects.toThrow(AccessDeniedError);
    const { client: plain } = fixture;
    await expect(read(plain)).rejects.toMatchObject({ type: 'unavailable' });
  });

  test('users without TLS are refused at the start, since clients would send no credentials', async () => {
    await open({ writable: true });
    await expect(startFacade(fixture.store, { writable: false, users: [user] })).rejects.toThrow('users need TLS');
  });
});

test('a client that discovers the cluster finds the one node where it asked', async () => {
  await open({});
  expect(await read(fixture.connect(`esdb+discover://localhost:${fixture.facade.port}`))).toBe(1);
});

test('a port that is taken: the error of the system', async () => {
  await open({});
  const { port } = fixture.facade;
  await expect(startFacade(fixture.store, { port, writable: false })).rejects.toThrow('EADDRINUSE');
});
