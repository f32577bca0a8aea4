import { describe, expect, test } from '@jest/globals';
import type { MessageOf, RecordOf } from '#libs/kernel';
import type { runtimeVersions } from '../streams.js';
import { evolveVersions, initialVersions, versionDecisions, type VersionState } from './version-state.js';

type Event = MessageOf<typeof runtimeVersions>;
const { request, restart, cancel, switchTo, removed } = versionDecisions;

const requested = (version: number): Event => ({ type: 'runtime.rebuild-requested.v1', data: { version } });
const cancelled = (version: number): Event => ({ type: 'runtime.rebuild-cancelled.v1', data: { version } });
const switched = (version: number): Event => ({
  type: 'runtime.view-switched.v1',
  data: { version, position: '7' },
});
const gone = (version: number): Event => ({ type: 'runtime.version-removed.v1', data: { version } });

function given(...events: readonly Event[]): VersionState {
  return events.reduce<VersionState>(
    (state, event, index) =>
      evolveVersions(state, {
        ...event,
        revision: BigInt(index),
        position: BigInt(10 + index),
        created: 1_000 + index,
      } as RecordOf<typeof runtimeVersions>),
    initialVersions,
  );
}

test('nothing is known at first: version 1 serves', () => {
  expect(given()).toMatchObject({ serving: 1, building: undefined, removable: [] });
});

describe('a request', () => {
  test('gives the next version, and none a second time', () => {
    expect(request(given())).toEqual([requested(2)]);
    expect(request(given(requested(2), cancelled(2)))).toEqual([requested(3)]);
    expect(request(given(requested(2), switched(2)))).toEqual([requested(3)]);
  });

  test('while one is built, changes nothing', () => {
    expect(request(given(requested(2)))).toEqual([]);
  });
});

test('whose builder has died, a version is built anew as the next one', () => {
  expect(restart(given(requested(2)))).toEqual([requested(3)]);
  expect(restart(given())).toEqual([]);
  expect(given(requested(2), requested(3))).toMatchObject({ serving: 1, building: { version: 3 }, removable: [2] });
});

test('given up, a version serves never and is removed', () => {
  expect(cancel(given(requested(2)))).toEqual([cancelled(2)]);
  expect(cancel(given())).toEqual([]);
  const state = given(requested(2), cancelled(2));
  expect(state).toMatchObject({ serving: 1, building: undefined, removable: [2] });
  expect(switchTo(2, 7n)(state)).toEqual([]);
});

test('built, a version serves, and the one before is removed', () => {
  expect(switchTo(2, 7n)(given(requested(2)))).toEqual([switched(2)]);
  expect(switchTo(2, 7n)(given(requested(2), requested(3)))).toEqual([]);
  const state = given(requested(2), switched(2));
  expect(state).toMatchObject({
    serving: 2,
    switched: { position: 11n, at: 1_001, builtFrom: 10n },
    building: undefined,
    removable: [1],
  });
  expect(switchTo(2, 7n)(state)).toEqual([]);
  expect(removed(1)(state)).toEqual([gone(1)]);
  expect(removed(2)(state)).toEqual([]);
  expect(given(requested(2), switched(2), gone(1)).removable).toEqual([]);
});
