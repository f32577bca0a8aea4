import { categoryOf } from '#libs/kernel';
import { escalationEvents } from '#libs/notification';
import { runtimeCheckpoints, runtimeParked, runtimeRebuilds, runtimeRetries, runtimeVersions } from '#libs/runtime';
import type { PositionIn } from '#libs/store/migration';

const inData = ['position'];
const inRecord = ['record', 'position'];

const known: ReadonlyMap<string, readonly string[]> = new Map([
  [runtimeCheckpoints.category, inData],
  [runtimeRebuilds.category, inData],
  [runtimeVersions.category, inData],
  [runtimeRetries.category, inRecord],
  [runtimeParked.category, inRecord],
  [escalationEvents.category, ['upTo']],
]);

/** The positions that Tidings keeps in its own records: what a consumer has reached or put aside, what a view shows. */
export const positionIn: PositionIn = ({ stream }) => {
  const category = categoryOf(stream);
  return /\.view(\.\d+)?$/.test(category) ? inData : known.get(category);
};
