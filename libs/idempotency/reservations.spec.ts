import { afterEach, beforeEach, describe, expect, it, test } from '@jest/globals';
import { newId } from '#libs/kernel';
import { defineClient, openClient } from '#libs/runtime';
import { StoreUnavailable } from '#libs/store/port';
import { TemporaryStore, withFaults, type Faults } from '#libs/testing';
import { MemoryKeyStore, Vault, type Sealed } from '#libs/vault';
import { idempotencyReservations, isReserved, keyLifetime, reserve } from './index.js';

let temporary: TemporaryStore;
let faults: Faults;
let bodyHash: Sealed;

beforeEach(async () => {
  temporary = await TemporaryStore.open();
  faults = {};
  bodyHash = await new Vault(new MemoryKeyStore()).sealFor('recipient/ada', 'body', 'hash');
});
afterEach(() => temporary.remove());

function client() {
  const declaration = defineClient({
    name: 'toy.client',
    looksUp: [idempotencyReservations],
    writes: [idempotencyReservations],
  });
  return openClient(withFaults(temporary.store, faults), declaration);
}

function reserveFor(resourceId: string, { caller = 'shop', key = 'order-1', now = Date.now() } = {}) {
  return reserve(client(), caller, key, { resourceId, bodyHash }, now);
}

describe('reserve', () => {
  it('lets the first request name the resource, and tells later ones', async () => {
    const first = await reserveFor('r1');
    expect(first).toMatchObject({ resourceId: 'r1', isNew: true, bodyHash });
    expect(await reserveFor('r2')).toEqual({ ...first, isNew: false });
  });

  it('lets exactly one of many requests at the same time be new', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, (_, index) => reserveFor(`r${index}`)));
    const [winner, ...others] = all.filter(({ isNew }) => isNew);
    expect(others).toEqual([]);
    expect(new Set(all.map(({ resourceId }) => resourceId))).toEqual(new Set([winner!.resourceId]));
    expect(new Set(all.map(({ cause }) => cause))).toEqual(new Set([winner!.cause]));
  });

  it('tells callers and keys apart', async () => {
    const all = await Promise.all([
      reserveFor('r1'),
      reserveFor('r2', { caller: 'other' }),
      reserveFor('r3', { key: 'order-2' }),
    ]);
    expect(all.every(({ isNew }) => isNew)).toBe(true);
  });

  it('lets a key be used anew once it has expired, by one request again', async () => {
    const first = await reserveFor('r1');
    const now = Date.now();
    expect(await reserveFor('r2', { now: now + keyLifetime - 60_000 })).toEqual({ ...first, isNew: false });
    // Only the old reservation is older than the key's life; the new one is made now.
    const expired = await reserveFor('r2', { now: now + keyLifetime + 60_000 });
    expect(expired).toMatchObject({ resourceId: 'r2', isNew: true });
    expect(await reserveFor('r3')).toEqual({ ...expired, isNew: false });
  });

  it('gives a request that is repeated after a crash the same cause, to complete what was cut short', async () => {
    const resourceId = newId();
    faults.afterAppend = () => {
      throw new StoreUnavailable('killed');
    };
    await expect(reserveFor(resourceId)).rejects.toThrow(StoreUnavailable);
    faults.afterAppend = undefined;
    const repeated = await reserveFor('another');
    expect(repeated).toMatchObject({ resourceId, isNew: false });
    expect(await reserveFor('yet another')).toEqual(repeated);
  });
});

test('a key is reserved from its first request on, for its life, for its caller', async () => {
  const now = Date.now();
  expect(await isReserved(client(), 'shop', 'order-1', now)).toBe(false);
  await reserveFor('r1');
  expect(await isReserved(client(), 'shop', 'order-1', now)).toBe(true);
  expect(await isReserved(client(), 'other', 'order-1', now)).toBe(false);
  expect(await isReserved(client(), 'shop', 'order-1', now + keyLifetime + 60_000)).toBe(false);
});
