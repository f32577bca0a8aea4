import { resolve } from 'node:path';
import type { Backup } from '../backup/create.js';
import type { Manifest } from '../backup/manifest.js';
import type { Arguments } from '../arguments.js';
import { exitCodes, usageError, type ExitCode } from '../exit-codes.js';
import type { LocalCommand, LocalContext } from '../command.js';
import { onFiles } from '../on-files.js';
import { version } from '../version.js';

const dataDirOption = {
  value: '<folder>',
  help: 'the data directory; else TIDINGS_DATA_DIR, else ./data',
} as const;

function dataDirOf(args: Arguments): string {
  return resolve(args.text('data-dir') ?? (process.env['TIDINGS_DATA_DIR'] || 'data'));
}

export const backup: LocalCommand = {
  local: true,
  summary: 'copy a data directory, also while the server runs',
  positionals: [],
  options: {
    to: { value: '<folder>', help: 'folder of backups, where a new one is made; required' },
    keep: { value: '<number>', help: 'keep so many backups there, the newest, and remove the others' },
    'data-dir': dataDirOption,
  },
  run: ({ args, output }) =>
    onFiles(async () => {
      const to = resolve(args.required('to'));
      const keep = keepOf(args);
      const { createBackup } = await import('../backup/create.js');
      const request = { dataDir: dataDirOf(args), to, keep, version: version() };
      const made = await createBackup(request, (text) => output.remark(text));
      const { backup: path, linked, manifest } = made;
      output.result({ backup: path, ...manifest, blobs: { ...manifest.blobs, linked } }, () => [
        output.details(detailsOf(made)),
      ]);
      for (const removed of made.removed) output.remark(`removed ${removed}`);
      return exitCodes.ok;
    }),
};

function keepOf(args: Arguments): number | undefined {
  const text = args.text('keep');
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(text)) throw usageError('--keep must be a whole number from 1 to 9999');
  return Number(text);
}

function detailsOf({ backup: path, manifest, linked }: Backup) {
  const { blobs } = manifest;
  return {
    backup: path,
    ...countsOf(manifest),
    blobs: `${blobs.files}, of which ${linked} were in the backup before`,
  };
}

function countsOf({ takenAt, events, keys, blobs }: Manifest) {
  return {
    taken: takenAt,
    events: events === null ? 'none: they are kept elsewhere' : `${events.records} up to position ${events.head}`,
    keys: keys === null ? 'none: they are kept elsewhere' : keys.keys,
    blobs: blobs.files,
  };
}

export const restore: LocalCommand = {
  local: true,
  summary: 'make a data directory of a backup',
  positionals: [],
  options: {
    from: { value: '<folder>', help: 'the backup; required' },
    'data-dir': { value: '<folder>', help: 'a new or empty folder; required' },
  },
  run: ({ args, output }) =>
    onFiles(async () => {
      const [from, dataDir] = [resolve(args.required('from')), resolve(args.required('data-dir'))];
      const { restoreBackup } = await import('../backup/restore.js');
      const manifest = await restoreBackup(from, dataDir, (text) => output.remark(text));
      output.result({ dataDir, ...manifest }, () => [
        output.details({ 'data directory': dataDir, ...countsOf(manifest) }),
      ]);
      return exitCodes.ok;
    }),
};

export const erasures: LocalCommand = {
  local: true,
  summary: 'the recipients erased since a backup, read from a data directory whose server has stopped',
  positionals: [],
  options: {
    since: { value: '<folder>', help: 'the backup; required' },
    'data-dir': dataDirOption,
  },
  run: (context) => onFiles(() => listErasures(context)),
};

async function listErasures({ args, output }: LocalContext): Promise<ExitCode> {
  const since = resolve(args.required('since'));
  const { erasedSince } = await import('../backup/erasures.js');
  const recipients = await erasedSince(since, dataDirOf(args));
  // On stdout there is nothing but ids, for a loop over them.
  if (recipients.length > 0 || args.flag('json')) output.result({ recipients }, () => [recipients.join('\n')]);
  else output.remark('nobody was erased since');
  return exitCodes.ok;
}
