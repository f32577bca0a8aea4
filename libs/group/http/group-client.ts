import { defineClient } from '#libs/runtime';
import { groupEvents } from '../event/group.js';

/** Decides about groups, as the API asks. */
export const groupClient = defineClient({
  name: 'group.http-client',
  looksUp: [groupEvents],
  writes: [groupEvents],
});
