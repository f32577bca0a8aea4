import { constants, type Stats } from 'node:fs';
import { copyFile, link, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, namesIn, sync, unlessMissing } from './files.js';

/** How many files are copied at the same time. */
const concurrency = 8;
/** What is lost of a file's time when it is given to a copy, in milliseconds. */
const timePrecision = 0.001;

/** What a copy of blobs holds. */
export interface BlobCopies {
  readonly files: number;
  readonly bytes: number;
  /** Files that the earlier copy has too: one file under two names, which takes no space. */
  readonly linked: number;
}

export interface CopyBlobsOptions {
  /** Another folder of copies; what it has already is linked where the file system allows it. */
  readonly earlier?: string | undefined;
  /** Called as it goes on, with how many files there are so far. */
  readonly onProgress?: (files: number) => void;
}

/**
 * Copies the blobs of a data directory, also while another process writes it: a blob is there as a whole or not at all, and
 * one that is deleted meanwhile is left out. On the disk when it resolves.
 * @param target the folder that stands for the directory's `blobs`, made when it does not exist
 * @throws the file system's error
 */
export async function copyBlobs(
  directory: string,
  target: string,
  { earlier, onProgress }: CopyBlobsOptions = {},
): Promise<BlobCopies> {
  const root = join(directory, 'blobs');
  const total = { files: 0, bytes: 0, linked: 0 };
  await makeFolder(target);
  for (const prefix of await namesIn(root, (entry) => entry.isDirectory() && entry.name !== 'tmp')) {
    await makeFolder(join(target, prefix));
    for (const key of await namesIn(join(root, prefix), (entry) => entry.isDirectory())) {
      const folder = join(prefix, key);
      await makeFolder(join(target, folder));
      const blobs = (await namesIn(join(root, folder), (entry) => entry.isFile())).map((name) => join(folder, name));
      while (blobs.length > 0) {
        const copies = blobs
          .splice(0, concurrency)
          .map((blob) => copyOne(join(root, blob), join(target, blob), earlier && join(earlier, blob)));
        for (const copied of await Promise.all(copies)) {
          if (copied === undefined) continue;
          total.files += 1;
          total.bytes += copied.bytes;
          if (copied.linked) total.linked += 1;
        }
        onProgress?.(total.files);
      }
      await sync(join(target, folder));
    }
    await sync(join(target, prefix));
  }
  await sync(target);
  return total;
}

/** Undefined where the blob has been deleted meanwhile. */
async function copyOne(
  from: string,
  to: string,
  earlier: string | undefined,
): Promise<{ readonly bytes: number; readonly linked: boolean } | undefined> {
  const source = await unlessMissing(stat(from));
  if (source === undefined) return undefined;
  if (earlier !== undefined && (await linkCopy(earlier, to, source))) return { bytes: source.size, linked: true };
  const copied = await unlessMissing(copyFile(from, to, constants.COPYFILE_FICLONE).then(() => true));
  if (copied === undefined) return undefined;
  // By its time, a later copy tells whether the blob was put again since.
  await utimes(to, source.atimeMs / 1_000, source.mtimeMs / 1_000);
  await sync(to);
  return { bytes: (await stat(to)).size, linked: false };
}

/** A blob is never changed, but it may have been put again in the place of an older one. False where it has to be copied. */
async function linkCopy(earlier: string, to: string, source: Stats): Promise<boolean> {
  const copy = await unlessMissing(stat(earlier));
  if (copy === undefined || copy.size !== source.size) return false;
  if (Math.abs(copy.mtimeMs - source.mtimeMs) > timePrecision) return false;
  // Not every file system has links, and none has as many as one likes.
  return link(earlier, to).then(
    () => true,
    () => false,
  );
}
