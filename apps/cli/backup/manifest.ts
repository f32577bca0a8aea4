import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CommandFailed, exitCodes } from '../exit-codes.js';

const fileName = 'backup.json';
const format = 1;

/** A file of a backup, with what shows that it is whole. */
export interface CopiedFile {
  readonly bytes: number;
  readonly sha256: string;
}

/** What a backup holds; it is written last, so that a folder with one is a whole backup. A storage format. */
export interface Manifest {
  readonly format: typeof format;
  /** Version of the program that made it. */
  readonly tidings: string;
  /** Everything that was accepted before is in it; RFC 3339. */
  readonly takenAt: string;
  /** `events.db`; null where the events are kept elsewhere. `head`: position of the last record. */
  readonly events: (CopiedFile & { readonly head: string; readonly records: number }) | null;
  /** `keys.db`; null where the keys are kept elsewhere. */
  readonly keys: (CopiedFile & { readonly keys: number }) | null;
  /** The files under `blobs/`. */
  readonly blobs: { readonly files: number; readonly bytes: number };
}

/** How the names of backups begin; the rest is when they were taken, so that they sort by time. */
const prefix = 'tidings-';

export function backupName(takenAt: string): string {
  return prefix + takenAt.replaceAll(/[-:.]/g, '');
}

/** The names of the backups in a folder, oldest first. */
export async function backupsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && entry.name.startsWith(prefix))
    .map(({ name }) => name)
    .sort();
}

/** On the disk when it resolves. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const file = await open(join(folder, fileName), 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(manifest, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** @throws CommandFailed where the folder is no backup */
export async function readManifest(folder: string): Promise<Manifest> {
  let text: string;
  try {
    text = await readFile(join(folder, fileName), 'utf8');
  } catch (error) {
    throw await noBackup(folder, error as NodeJS.ErrnoException);
  }
  const manifest = parsed(text);
  if (manifest?.format === format) return manifest as Manifest;
  throw unusable(
    typeof manifest?.format === 'number' && manifest.format > format
      ? `${folder} was made by a newer version (format ${manifest.format}, this one knows ${format})`
      : `${join(folder, fileName)} is damaged`,
  );
}

export async function fileOf(path: string): Promise<CopiedFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(createReadStream(path), async function (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      hash.update(chunk);
    }
  });
  return { bytes, sha256: hash.digest('hex') };
}

/** What is wrong with files, so that a backup cannot be made or used. */
export function unusable(message: string): CommandFailed {
  return new CommandFailed(exitCodes.filesUnusable, message);
}

async function noBackup(folder: string, error: NodeJS.ErrnoException): Promise<CommandFailed> {
  if (error.code !== 'ENOENT') return unusable(`${folder} cannot be read (${error.code})`);
  const newest = (await backupsIn(folder).catch(() => [])).at(-1);
  const hint = newest === undefined ? '' : `: its newest one is ${join(folder, newest)}`;
  return unusable(`${folder} is not a whole backup, as it has no ${fileName}${hint}`);
}

function parsed(text: string): Partial<Manifest> | null {
  try {
    return JSON.parse(text) as Partial<Manifest> | null;
  } catch {
    return null;
  }
}
