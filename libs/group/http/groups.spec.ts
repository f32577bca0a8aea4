import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Refused } from '#libs/kernel';
import { openClient } from '#libs/runtime';
import { WrongExpectedRevision } from '#libs/store/port';
import { withFaults } from '#libs/testing';
import { NotificationFlow } from '#libs/testing/flow';
import { loadGroup, loadMembers } from '../event/load-members.js';
import { groupClient } from './group-client.js';
import { Groups } from './groups.js';

let flow: NotificationFlow;
let groups: Groups;
beforeEach(async () => {
  flow = await NotificationFlow.open();
  groups = new Groups({ client: openClient(flow.store, groupClient) });
});
afterEach(() => flow.close());

const id = 'board';

test('is made, changed and read, each time with its revision', async () => {
  expect(await groups.put(id, 'Board', undefined)).toMatchObject({ created: true, revision: 0n });
  expect(await groups.put(id, 'Board', undefined)).toMatchObject({ created: false, revision: 0n });
  const changed = await groups.changeMembers(id, ['ada', 'bo'], [], undefined);
  expect(changed).toMatchObject({ view: { id, name: 'Board', count: 2 }, revision: 1n });
  expect(await groups.changeMembers(id, ['bo'], ['cy'], undefined)).toMatchObject({ revision: 1n });
  expect(await groups.get(id)).toEqual(changed);
});

describe('under a condition', () => {
  test('of another revision', async () => {
    await groups.put(id, null, undefined);
    await expect(groups.changeMembers(id, ['ada'], [], 7n)).rejects.toThrow(WrongExpectedRevision);
    expect(await groups.changeMembers(id, ['ada'], [], 0n)).toMatchObject({ revision: 1n });
    await expect(groups.delete(id, 0n)).rejects.toThrow(WrongExpectedRevision);
  });
  test('that it exists', async () => {
    await expect(groups.put(id, null, 'streamExists')).rejects.toThrow(Refused);
    await groups.put(id, null, undefined);
    expect(await groups.put(id, 'Board', 'streamExists')).toMatchObject({ created: false });
  });
});

test('what does not exist is not changed, deleted or read', async () => {
  await groups.put(id, null, undefined);
  expect(await groups.delete(id, undefined)).toMatchObject({ revision: 1n });
  expect(await groups.delete(id, undefined)).toBeUndefined();
  expect(await groups.changeMembers(id, ['ada'], [], undefined)).toBeUndefined();
  expect(await groups.get(id)).toBeUndefined();
  expect(await groups.members(id, undefined, 10)).toBeUndefined();
});

test('a group is folded once for all pages of its list, until it changes', async () => {
  let reads = 0;
  const store = withFaults(flow.store, { beforeRead: () => void (reads += 1) });
  const lister = new Groups({ client: openClient(store, groupClient) });
  await groups.put(id, null, undefined);
  const ids = Array.from({ length: 1_000 }, (_, index) => `m-${String(index).padStart(4, '0')}`);
  for (let start = 0; start < ids.length; start += 10) {
    await groups.changeMembers(id, ids.slice(start, start + 10), [], undefined);
  }
  await lister.members(id, undefined, 10);
  reads = 0;
  for (let start = 0; start < ids.length; start += 100) {
    const page = await lister.by('somebody').members(id, ids[start - 1], 100);
    expect(page).toEqual({
      recipientIds: ids.slice(start, start + 100),
      more: start + 100 < ids.length,
      revision: 100n,
    });
  }
  // Whether it has changed is one read a page.
  expect(reads).toBe(10);
  await groups.changeMembers(id, ['m-0000-b'], ['m-0001'], undefined);
  expect(await lister.members(id, 'm-0000', 2)).toEqual({
    recipientIds: ['m-0000-b', 'm-0002'],
    more: true,
    revision: 101n,
  });
  expect(await lister.members(id, 'm-0999', 2)).toEqual({ recipientIds: [], more: false, revision: 101n });
  await groups.delete(id, undefined);
  expect(await lister.members(id, undefined, 2)).toBeUndefined();
});

test('many members in many events are read page by page, and as they were at a revision', async () => {
  const client = openClient(flow.store, groupClient);
  await groups.put(id, null, undefined);
  const batches = Array.from({ length: 250 }, (_, batch) => [`b-${batch}`, `a-${batch}`]);
  for (const batch of batches) await groups.changeMembers(id, batch, [], undefined);
  await groups.changeMembers(id, [], ['a-0'], undefined);

  const listed: string[] = [];
  for (let after: string | undefined, more = true; more; after = listed.at(-1)) {
    const page = await groups.members(id, after, 200);
    listed.push(...page!.recipientIds);
    more = page!.more;
  }
  expect(listed).toEqual(
    batches
      .flat()
      .filter((one) => one !== 'a-0')
      .sort(),
  );
  expect(await loadGroup(client, id)).toEqual({ revision: 251n, count: 499 });
  expect(await loadMembers(client, id, 250n)).toEqual(batches.flat());
  expect(await loadMembers(client, id, 2n)).toEqual(batches.slice(0, 2).flat());
});
