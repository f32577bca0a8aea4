export type { SlackBehaviour } from './script.js';
export { SlackDouble, type SlackCallMade, type SlackDoubleOptions } from './slack-double.js';
export type { PostedMessage, SharedFile } from './workspace.js';
