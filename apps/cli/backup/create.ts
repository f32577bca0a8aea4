import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { copyBlobs } from '#libs/blob';
import { copySqliteStore, lockDirectory } from '#libs/store/sqlite';
import { copySqliteKeys } from '#libs/vault';
import { usageError } from '../exit-codes.js';
import { backupName, backupsIn, fileOf, unusable, writeManifest, type Manifest } from './manifest.js';
import { Progress } from '../output/remarks-of-progress.js';
import { sync } from './sync.js';

/** How the names of what is being written begin: nothing else takes it for a backup. */
const incomplete = '.incomplete-';

export interface BackupRequest {
  /** Of a server, which may be running. */
  readonly dataDir: string;
  /** Folder of backups, made when it does not exist. */
  readonly to: string;
  /** How many backups stay there, the newest ones; undefined: all. */
  readonly keep: number | undefined;
  /** The program's version. */
  readonly version: string;
}

export interface Backup {
  /** Path of the new backup. */
  readonly backup: string;
  readonly manifest: Manifest;
  /** Blobs that are one file with those of the backup before. */
  readonly linked: number;
  /** Paths of the backups that were removed. */
  readonly removed: readonly string[];
}

/**
 * Copies a data directory into a new folder. The events come first: what they name – keys, then blobs – was there before
 * them, so it is in what is copied after them.
 * @throws CommandFailed, StoreUnusable, StoreUnavailable, or the file system's error; nothing stays then that looks whole
 */
export async function createBackup(request: BackupRequest, remark: (text: string) => void): Promise<Backup> {
  const { dataDir, to, keep } = request;
  if (!['events.db', 'keys.db'].some((name) => existsSync(join(dataDir, name)))) {
    throw unusable(`${dataDir} is no data directory: it has neither events.db nor keys.db`);
  }
  if (isInside(to, dataDir)) throw usageError('--to must not be in the data directory');
  await mkdir(to, { recursive: true, mode: 0o700 });
  const lock = lockDirectory(to);
  try {
    // Nobody else writes here: they are of backups that were cut short.
    for (const name of await readdir(to)) if (name.startsWith(incomplete)) await remove(join(to, name));
    const earlier = (await backupsIn(to)).at(-1);
    const { manifest, linked, name } = await write(request, earlier && join(to, earlier), remark);
    const removed = keep === undefined ? [] : (await backupsIn(to)).slice(0, -keep).map((old) => join(to, old));
    for (const path of removed) await remove(path);
    return { backup: join(to, name), manifest, linked, removed };
  } finally {
    lock.release();
  }
}

async function write(
  { dataDir, to, version }: BackupRequest,
  earlier: string | undefined,
  remark: (text: string) => void,
) {
  const takenAt = new Date().toISOString();
  const name = backupName(takenAt);
  const folder = join(to, incomplete + name);
  const progress = new Progress(remark);
  await mkdir(folder, { mode: 0o700 });
  try {
    const events = await copyEvents(dataDir, folder, progress);
    const keys = await copyKeys(dataDir, folder, progress);
    progress.start('blobs');
    const { files, bytes, linked } = await copyBlobs(dataDir, join(folder, 'blobs'), {
      earlier: earlier && join(earlier, 'blobs'),
      onProgress: (count) => progress.report(() => `blobs: ${count} files`),
    });
    const manifest: Manifest = {
      ...{ format: 1, tidings: version, takenAt, events, keys },
      blobs: { files, bytes },
    };
    await writeManifest(folder, manifest);
    await sync(folder);
    await rename(folder, join(to, name));
    await sync(to);
    return { manifest, linked, name };
  } catch (thrown) {
    await rm(folder, { recursive: true, force: true });
    throw thrown;
  } finally {
    progress.stop();
  }
}

async function copyEvents(dataDir: string, folder: string, progress: Progress): Promise<Manifest['events']> {
  const [source, target] = [join(dataDir, 'events.db'), join(folder, 'events.db')];
  if (!existsSync(source)) return null;
  const { size } = await stat(source);
  progress.start('events');
  progress.watch(async () => {
    const copied = await stat(target).catch(() => ({ size: 0 }));
    return `events: ${megabytes(copied.size)} of about ${megabytes(size)} MB`;
  });
  const { head, records } = await copySqliteStore(dataDir, target);
  return { ...(await fileOf(target)), head: String(head), records };
}

async function copyKeys(dataDir: string, folder: string, progress: Progress): Promise<Manifest['keys']> {
  if (!existsSync(join(dataDir, 'keys.db'))) return null;
  progress.start('keys');
  const target = join(folder, 'keys.db');
  const keys = await copySqliteKeys(dataDir, target);
  return { ...(await fileOf(target)), keys };
}

/** What is being removed does not look whole any more. */
async function remove(path: string): Promise<void> {
  await rm(join(path, 'backup.json'), { force: true });
  await rm(path, { recursive: true, force: true });
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || !(way.startsWith('..') || way.startsWith('/'));
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
