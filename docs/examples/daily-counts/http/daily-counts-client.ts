import { defineClient } from '#libs/runtime';
import { dailyCountsViews } from '../view/daily-counts.js';

/** Reads the counts, as the API asks. */
export const dailyCountsClient = defineClient({
  name: 'daily-counts.http-client',
  looksUp: [dailyCountsViews],
  writes: [],
});
