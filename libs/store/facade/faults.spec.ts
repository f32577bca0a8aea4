import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { jsonEvent, NotLeaderError, UnavailableError } from '@eventstore/db-client';
import { newId } from '#libs/kernel';
import type { Fault } from '#libs/store/facade';
import { eventually } from '#libs/testing';
import { TemporaryFacade } from '#libs/testing/facade';

let fixture: TemporaryFacade;
let faultOf: (path: string) => Fault | undefined | Promise<Fault | undefined>;

const stream = 'faulty.stream-1';
const record = () => ({ id: newId(), type: 'faulty.v1', data: {} });
const event = () => jsonEvent(record());

beforeEach(async () => {
  faultOf = () => undefined;
  fixture = await TemporaryFacade.open({ onCall: (path) => faultOf(path) });
  await fixture.store.append(stream, 'any', [record(), record(), record()]);
});

afterEach(() => fixture.remove());

async function read(seen: bigint[] = []): Promise<bigint[]> {
  for await (const { event: recorded } of fixture.client.readStream(stream)) seen.push(recorded!.revision);
  return seen;
}

test('another leader', async () => {
  faultOf = () => ({ notLeader: { host: '127.0.0.1', port: fixture.facade.port } });
  await expect(read()).rejects.toThrow(NotLeaderError);
  faultOf = () => undefined;
  expect(await read()).toEqual([0n, 1n, 2n]);
});

test('a read that breaks off on the way', async () => {
  faultOf = () => ({ resetAfter: 2 });
  const seen: bigint[] = [];
  await expect(read(seen)).rejects.toThrow(UnavailableError);
  expect(seen).toEqual([0n, 1n]);
});

test('an append that is written and never answered', async () => {
  faultOf = (path) => (path.endsWith('/Append') ? { silent: true } : undefined);
  const lost = fixture.client.appendToStream(stream, event(), {
    credentials: { username: 'a', password: 'b' },
    deadline: 200,
  });
  await expect(lost).rejects.toMatchObject({ type: 'deadline-exceeded' });
  expect(await read()).toHaveLength(4);
});

test('a call that waits', async () => {
  let release: (() => void) | undefined;
  faultOf = () => new Promise((resolve) => (release = () => resolve(undefined)));
  const reading = read();
  (await eventually(() => release))();
  expect(await reading).toHaveLength(3);
});
