import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { copyBlobs } from '#libs/blob';
import { fileOf, readManifest, unusable, type CopiedFile, type Manifest } from './manifest.js';
import { Progress } from '../output/remarks-of-progress.js';
import { sync } from './sync.js';

/**
 * Copies a backup into a new data directory, which is there only once all of it has proved to be what was backed up.
 * @param from the folder of one backup
 * @throws CommandFailed, or the file system's error; nothing stays then
 */
export async function restoreBackup(from: string, dataDir: string, remark: (text: string) => void): Promise<Manifest> {
  const manifest = await readManifest(from);
  if (!(await isEmpty(dataDir))) throw unusable(`${dataDir} is not empty: name a new folder, or move this one away`);
  const folder = `${dataDir}.restoring`;
  const progress = new Progress(remark);
  // Of a restore that was cut short.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    for (const part of ['events', 'keys'] as const) {
      const expected = manifest[part];
      if (expected === null) continue;
      progress.start(part);
      await copyChecked(join(from, `${part}.db`), join(folder, `${part}.db`), expected);
    }
    progress.start('blobs');
    const { files, bytes } = await copyBlobs(from, join(folder, 'blobs'), {
      onProgress: (count) => progress.report(() => `blobs: ${count} of ${manifest.blobs.files} files`),
    });
    if (files !== manifest.blobs.files || bytes !== manifest.blobs.bytes) {
      throw unusable(
        `${join(from, 'blobs')} is not what was backed up: there are ${files} of ${manifest.blobs.files} files`,
      );
    }
    await sync(folder);
    await rename(folder, dataDir);
    await sync(dirname(dataDir));
  } catch (thrown) {
    await rm(folder, { recursive: true, force: true });
    throw thrown;
  }
  return manifest;
}

async function copyChecked(from: string, to: string, expected: CopiedFile): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw unusable(`${from} is missing: put it back if it was kept elsewhere`);
  }
  const { bytes, sha256 } = await fileOf(to);
  if (bytes !== expected.bytes || sha256 !== expected.sha256) {
    throw unusable(`${from} is damaged: it is not what was backed up`);
  }
  await sync(to);
}

async function isEmpty(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}
