import { expect, describe, test } from '@jest/globals';
import fc from 'fast-check';
import { fold } from '#libs/kernel';
import { given } from '#libs/testing';
import { group, noSuchGroup, type GroupCommand, type GroupEvent } from './group.js';

const created = (name: string | null = null): GroupEvent => ({ type: 'group.created.v1', data: { name } });
const changed = (added: string[], removed: string[] = []): GroupEvent => ({
  type: 'group.members-changed.v1',
  data: { added, removed },
});
const deleted: GroupEvent = { type: 'group.deleted.v1', data: {} };
const put = (name: string | null, mustExist = false): GroupCommand => ({ type: 'put', name, mustExist });
const change = (add: string[], remove: string[] = []): GroupCommand => ({ type: 'changeMembers', add, remove });

function membersAfter(...events: GroupEvent[]): string[] {
  return [...fold(group, events).members];
}

describe('put', () => {
  test('makes a group without members', () => {
    given(group).when(put('Board')).then(created('Board'));
  });
  test('renames it, and again changes nothing', () => {
    const renamed: GroupEvent = { type: 'group.renamed.v1', data: { name: 'Board' } };
    given(group, created()).when(put('Board')).then(renamed);
    given(group, created(), renamed).when(put('Board')).then();
    expect(membersAfter(created(), changed(['ada']), renamed)).toEqual(['ada']);
  });
  test('of one that has to exist and does not is refused', () => {
    given(group).when(put('Board', true)).thenRefused(noSuchGroup);
    given(group, created(), deleted).when(put('Board', true)).thenRefused(noSuchGroup);
  });
});

describe('changing members', () => {
  test('says only what changes', () => {
    given(group, created(), changed(['ada', 'bo']))
      .when(change(['bo', 'cy'], ['ada', 'dee']))
      .then(changed(['cy'], ['ada']));
  });
  test('that changes nothing says nothing', () => {
    given(group, created(), changed(['ada']))
      .when(change(['ada'], ['bo']))
      .then();
  });
  test('of a group that does not exist is nothing', () => {
    given(group)
      .when(change(['ada']))
      .then();
    given(group, created(), deleted)
      .when(change(['ada']))
      .then();
  });
});

describe('delete', () => {
  test('forgets the members', () => {
    given(group, created(), changed(['ada']))
      .when({ type: 'delete' })
      .then(deleted);
    expect(membersAfter(created(), changed(['ada']), deleted, created())).toEqual([]);
  });
  test('again is nothing', () => {
    given(group, created(), deleted).when({ type: 'delete' }).then();
  });
});

test('members are those of a set, in the order in which they came, and to do a command again changes nothing', () => {
  const ids = fc.uniqueArray(fc.constantFrom('ada', 'bo', 'cy', 'dee', 'eve'));
  fc.assert(
    fc.property(fc.array(fc.record({ add: ids, remove: ids })), (changes) => {
      const events = [created()];
      const expected = new Set<string>();
      for (const { add, remove: named } of changes) {
        const remove = named.filter((id) => !add.includes(id));
        for (const id of remove) expected.delete(id);
        for (const id of add) expected.add(id);
        events.push(...group.decide(fold(group, events), change(add, remove)));
        expect(group.decide(fold(group, events), change(add, remove))).toEqual([]);
      }
      expect(membersAfter(...events)).toEqual([...expected]);
    }),
  );
});
