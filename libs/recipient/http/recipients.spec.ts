import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, streamName, type RecordedEvent } from '#libs/kernel';
import { openClient } from '#libs/runtime';
import { WrongExpectedRevision } from '#libs/store/port';
import { NotificationFlow } from '#libs/testing/flow';
import { recipientEvents, recipientOwner, type RecipientProfile } from '../event/recipient.js';
import { erasureReactor } from '../handlers/erasure.reactor.js';
import { recipientClient } from './recipient-client.js';
import { Recipients, type RecipientServices } from './recipients.js';

const id = 'user-42';
const ada = { displayName: 'Ada', channels: { email: { address: 'ada@example.com' } } };
const bob = { displayName: 'Bob', channels: {} };

let flow: NotificationFlow;
let recipients: Recipients;
/** Called before each append; what it does comes first. */
let beforeAppend: (() => Promise<unknown>) | undefined;
beforeEach(async () => {
  flow = await NotificationFlow.open();
  const client = openClient(flow.store, recipientClient);
  const append: RecipientServices['client']['append'] = async (...args) => {
    const interfere = beforeAppend;
    beforeAppend = undefined;
    await interfere?.();
    return client.append(...args);
  };
  recipients = new Recipients({ ...flow.services, client: { ...client, append } });
});
afterEach(() => flow.close());

async function types(): Promise<string[]> {
  return (await flow.stored()).map(({ type }) => type);
}

describe('put', () => {
  test('makes it, changes it, and leaves it where it is the same', async () => {
    const made = await recipients.put(id, ada, undefined);
    expect(made).toMatchObject({ created: true, revision: 0n });
    expect(await recipients.put(id, ada, undefined)).toEqual({ ...made, created: false });
    expect(await recipients.put(id, bob, undefined)).toMatchObject({ created: false, revision: 1n });
    expect(await recipients.get(id)).toMatchObject({ result: { id, displayName: 'Bob', channels: {} }, revision: 1n });
  });
  test('under a condition', async () => {
    await expect(recipients.put(id, ada, 'streamExists')).rejects.toThrow(WrongExpectedRevision);
    await recipients.put(id, ada, undefined);
    await expect(recipients.put(id, bob, 7n)).rejects.toThrow(WrongExpectedRevision);
    expect(await recipients.put(id, bob, 0n)).toMatchObject({ revision: 1n });
  });
  test('after an erasure makes it anew, under a new key', async () => {
    await recipients.put(id, ada, undefined);
    await recipients.erase(id, undefined);
    expect(await recipients.put(id, ada, undefined)).toMatchObject({ created: true, revision: 2n });
    expect((await recipients.get(id))!.result.displayName).toBe('Ada');
  });
});

describe('erase', () => {
  test('of somebody who never was is nothing', async () => {
    expect(await recipients.erase(id, undefined)).toBeUndefined();
    expect(await types()).toEqual([]);
  });
  test('of an id that only notifications know destroys their key', async () => {
    await flow.services.vault.sealFor(recipientOwner(id), 'content', 'text');
    expect(await recipients.erase(id, undefined)).toMatchObject({ revision: 0n });
    expect(await flow.services.vault.keyIdsOf(recipientOwner(id))).toEqual([]);
  });
  test('repeated answers the same', async () => {
    await recipients.put(id, ada, undefined);
    const erased = await recipients.erase(id, undefined);
    expect(erased).toMatchObject({ revision: 1n });
    expect(await recipients.erase(id, undefined)).toEqual(erased);
    expect(await recipients.get(id)).toBeUndefined();
  });
  test('takes the blobs with it', async () => {
    const blob = await flow.services.blobs.put(recipientOwner(id), 'some-blob', Buffer.from('x'));
    await recipients.erase(id, undefined);
    expect(await flow.services.blobs.get(blob)).toBeUndefined();
  });
});

describe('where the last record cannot be read', () => {
  const keyIds = () => flow.services.vault.keyIdsOf(recipientOwner(id));
  const append = (type: string, data: unknown = { from: 'the future' }) =>
    flow.store.append(streamName(recipientEvents, id), 'any', [{ id: newId(), type, data }]);

  test('get says which one it is', async () => {
    await recipients.put(id, ada, undefined);
    await append('recipient.put.v9');
    await expect(recipients.get(id)).rejects.toMatchObject({ code: 'invalid-record', revision: 1n });
  });
  test('put replaces it, also on condition of its revision', async () => {
    await append('recipient.put.v1');
    expect(await recipients.put(id, ada, undefined)).toMatchObject({ created: false, revision: 1n });
    await append('recipient.put.v9');
    await expect(recipients.put(id, bob, 1n)).rejects.toThrow(WrongExpectedRevision);
    expect(await recipients.put(id, bob, 2n)).toMatchObject({ created: false, revision: 3n });
    expect(await recipients.get(id)).toMatchObject({ result: { displayName: 'Bob' }, revision: 3n });
  });
  test.each([[undefined], [1n], ['streamExists' as const]])('erase destroys the keys, If-Match %p', async (ifMatch) => {
    await recipients.put(id, ada, undefined);
    await append('recipient.put.v9');
    const [keyId] = await keyIds();
    const erased = await recipients.erase(id, ifMatch);
    expect(erased).toMatchObject({ revision: 2n });
    expect((await flow.stored()).at(-1)).toMatchObject({ type: 'recipient.erased.v1', data: { keyIds: [keyId] } });
    expect(await keyIds()).toEqual([]);
    expect(await recipients.get(id)).toBeUndefined();
    expect(await recipients.erase(id, undefined)).toEqual(erased);
  });
  test('put finishes an erasure before it that was cut short', async () => {
    await recipients.put(id, ada, undefined);
    const [keyId] = await keyIds();
    await append('recipient.erased.v1', { keyIds: [keyId] });
    await append('recipient.put.v9');
    await recipients.put(id, bob, undefined);
    expect(await keyIds()).not.toContain(keyId);
    const reactor = flow.run(erasureReactor);
    for (const record of await reactor.waiting()) {
      if (record.type === 'recipient.erased.v1') await reactor.handle(record);
    }
    expect((await recipients.get(id))!.result.displayName).toBe('Bob');
  });

  describe('and is an erasure', () => {
    beforeEach(async () => {
      await recipients.put(id, ada, undefined);
      await append('recipient.erased.v9');
    });

    test('there is no recipient', async () => {
      expect(await recipients.get(id)).toBeUndefined();
      await expect(recipients.put(id, ada, 1n)).rejects.toThrow(WrongExpectedRevision);
    });
    test('erase is done anew', async () => {
      expect(await recipients.erase(id, undefined)).toMatchObject({ revision: 2n });
      expect(await keyIds()).toEqual([]);
    });
    test('put destroys the key from before, on record', async () => {
      const [keyId] = await keyIds();
      expect(await recipients.put(id, bob, undefined)).toMatchObject({ created: true, revision: 3n });
      expect((await flow.stored())[2]).toMatchObject({ type: 'recipient.erased.v1', data: { keyIds: [keyId] } });
      expect(await keyIds()).not.toContain(keyId);
    });
    test('of two puts at the same time none destroys the key of the other', async () => {
      beforeAppend = () => recipients.put(id, ada, undefined);
      await recipients.put(id, bob, undefined);
      const names = ['put', 'erased', 'erased', 'put', 'put'];
      expect((await types()).map((type) => type.split('.')[1])).toEqual(names);
      expect((await recipients.get(id))!.result.displayName).toBe('Bob');
    });
  });
});

describe('where the data cannot be opened', () => {
  const damage = async (change: (sealed: string) => string): Promise<void> => {
    await recipients.put(id, ada, undefined);
    const [put] = await flow.stored();
    const { displayName, ...rest } = put!.data as RecipientProfile;
    const data = { ...rest, displayName: change(displayName!) };
    const events = [{ id: newId(), type: put!.type, data }];
    await flow.store.append(put!.stream, 0n, events);
  };
  test.each([
    ['the seal is broken', (sealed: string) => `${sealed.slice(0, -4)}AAAA`],
    ['the key is gone', (sealed: string) => sealed.replace(/(?<=^sealed\.v1\.)[\w-]+/, 'gone')],
  ])('as %s: get says so, put replaces it', async (_, change) => {
    await damage(change);
    await expect(recipients.get(id)).rejects.toMatchObject({ code: 'invalid-record', revision: 1n });
    expect(await recipients.put(id, ada, undefined)).toMatchObject({ created: false, revision: 2n });
    expect((await recipients.get(id))!.result.displayName).toBe('Ada');
  });
});

describe('at the same time', () => {
  test('an erasure between seal and append: what is put is sealed anew, and can be read', async () => {
    await recipients.put(id, ada, undefined);
    beforeAppend = () => recipients.erase(id, undefined);
    expect(await recipients.put(id, bob, undefined)).toMatchObject({ created: true });
    expect(await types()).toEqual(['recipient.put.v1', 'recipient.erased.v1', 'recipient.put.v1']);
    expect((await recipients.get(id))!.result.displayName).toBe('Bob');
  });
  test('a put before the erasure is written: its key is destroyed, too', async () => {
    await flow.services.vault.sealFor(recipientOwner(id), 'content', 'text');
    beforeAppend = () => recipients.put(id, ada, undefined);
    await recipients.erase(id, undefined);
    expect(await types()).toEqual(['recipient.put.v1', 'recipient.erased.v1']);
    expect(await flow.services.vault.keyIdsOf(recipientOwner(id))).toEqual([]);
  });
  test('under a condition the one that is later is told', async () => {
    await recipients.put(id, ada, undefined);
    beforeAppend = () => recipients.put(id, bob, undefined);
    await expect(recipients.erase(id, 0n)).rejects.toThrow(WrongExpectedRevision);
    expect(await types()).toEqual(['recipient.put.v1', 'recipient.put.v1']);
  });
});

describe('the erasure reactor', () => {
  const erased = async (): Promise<RecordedEvent[]> => {
    const run = flow.run(erasureReactor);
    return (await run.waiting()).filter(({ type }) => type === 'recipient.erased.v1');
  };
  test('finishes what a killed request left', async () => {
    await recipients.put(id, ada, undefined);
    const blob = await flow.services.blobs.put(recipientOwner(id), 'some-blob', Buffer.from('x'));
    const keyIds = [...(await flow.services.vault.keyIdsOf(recipientOwner(id)))];
    await openClient(flow.store, recipientClient).append(
      recipientEvents,
      id,
      0n,
      [{ type: 'recipient.erased.v1', data: { keyIds } }],
      { correlationId: id },
    );
    await flow.drive([erasureReactor]);
    expect(await flow.services.vault.keyIdsOf(recipientOwner(id))).toEqual([]);
    expect(await flow.services.blobs.get(blob)).toBeUndefined();
  });
  test('leaves alone what the same person gets afterwards', async () => {
    await recipients.put(id, ada, undefined);
    await recipients.erase(id, undefined);
    await recipients.put(id, bob, undefined);
    expect(await erased()).toHaveLength(1);
    await flow.drive([erasureReactor]);
    expect((await recipients.get(id))!.result.displayName).toBe('Bob');
  });
});
