import type { Command } from '../command.js';
import { backup, erasures, restore } from './backups.js';
import { consumers, pause, resume } from './consumers.js';
import { copyBlobs, copyKeysOfPersonalData } from './copies.js';
import { createKey, listKeys, revokeKeys } from './keys.js';
import { migrate } from './migrate.js';
import { cancel, events, show } from './notifications.js';
import { archive, handling, parked, redrive } from './parked.js';
import { erase } from './recipients.js';
import { send } from './send.js';
import { views } from './views.js';

/** By name, in the order of the help. */
export const commands: Readonly<Record<string, Command>> = {
  send,
  show,
  events,
  cancel,
  consumers,
  pause,
  resume,
  parked,
  redrive,
  archive,
  handling,
  views,
  erase,
  backup,
  restore,
  erasures,
  'keys create': createKey,
  'keys list': listKeys,
  'keys revoke': revokeKeys,
  migrate,
  'secrets copy': copyKeysOfPersonalData,
  'blobs copy': copyBlobs,
};
