export { rewindConsumers } from './data-directory.js';
export { bothOf, mailOf, slackOf } from './directory-double.js';
export { gate, isTerminalType, only } from './helpers.js';
export { useWorld, World } from './world.js';
