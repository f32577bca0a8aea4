import { defineClient } from '#libs/runtime';
import { slackEvents } from '../event/slack-events.js';

/** Reads what became of Slack messages, as the API asks. */
export const slackClient = defineClient({ name: 'slack.http-client', looksUp: [slackEvents], writes: [] });
