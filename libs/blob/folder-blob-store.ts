import { randomUUID } from 'node:crypto';
import { open, readdir, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { placeOf } from './blob-place.js';
import { type BlobStore, checkBlobId } from './blob-store.js';
import { makeFolder, namesIn, sync, unlessMissing } from './files.js';
import { blobPlaceOf, type BlobInventory, type BlobPlace } from './transfer/blob-inventory.js';

/**
 * Blobs as files: `blobs/<first 2 hex digits>/<SHA-256 of the key id>/<id>` in the data directory. A file is complete
 * or not there: it is written and fsync'ed in `blobs/tmp`, then renamed. One process at a time.
 */
export class FolderBlobStore implements BlobStore, BlobInventory {
  private constructor(
    private readonly root: string,
    private readonly temporary: string,
  ) {}

  /** Opens the blobs of a data directory, made when it does not exist; removes what a crash left half-written. */
  static async open(directory: string): Promise<FolderBlobStore> {
    const root = resolve(directory, 'blobs');
    const temporary = join(root, 'tmp');
    await rm(temporary, { recursive: true, force: true });
    await makeFolder(temporary);
    await sync(dirname(root));
    return new FolderBlobStore(root, temporary);
  }

  async put(keyId: string, id: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    return this.store(this.pathOf(keyId, id), bytes);
  }

  async get(keyId: string, id: string): Promise<Readable | undefined> {
    return this.open(this.pathOf(keyId, id));
  }

  async *places(): AsyncGenerator<BlobPlace> {
    const inFolder = (...path: string[]) => namesIn(join(this.root, ...path), (entry) => entry.isDirectory());
    for (const start of await inFolder()) {
      for (const hash of await inFolder(start)) {
        for (const id of await namesIn(join(this.root, start, hash), (entry) => entry.isFile())) {
          const place = blobPlaceOf([start, hash, id].join('/'));
          if (place !== undefined) yield place;
        }
      }
    }
  }

  read(place: BlobPlace): Promise<Readable | undefined> {
    return this.open(join(this.root, ...place));
  }

  write(place: BlobPlace, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    return this.store(join(this.root, ...place), bytes);
  }

  private async store(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const written = this.temporaryName();
    try {
      await writeDurably(written, bytes);
      await moveInto(written, path);
    } catch (thrown) {
      await rm(written, { force: true });
      throw thrown;
    }
  }

  private async open(path: string): Promise<Readable | undefined> {
    const file = await unlessMissing(open(path));
    return file?.createReadStream();
  }

  async delete(keyId: string, id: string): Promise<boolean> {
    const path = this.pathOf(keyId, id);
    const deleted = await unlessMissing(unlink(path).then(() => true));
    if (deleted) await unlessMissing(sync(dirname(path)));
    return deleted ?? false;
  }

  /** Moves the key's folder away as a whole first: a crash leaves all of it or none, and the rest goes at start. */
  async deleteAll(keyId: string): Promise<number> {
    const folder = this.folderOf(keyId);
    const away = this.temporaryName();
    if (!(await unlessMissing(rename(folder, away).then(() => true)))) return 0;
    await sync(dirname(folder));
    const blobs = await readdir(away);
    await rm(away, { recursive: true });
    return blobs.length;
  }

  private folderOf(keyId: string): string {
    return join(this.root, ...placeOf(keyId));
  }

  private pathOf(keyId: string, id: string): string {
    checkBlobId(id);
    return join(this.folderOf(keyId), id);
  }

  private temporaryName(): string {
    return join(this.temporary, randomUUID());
  }
}

async function writeDurably(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await writeFile(file, bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function moveInto(written: string, path: string): Promise<void> {
  const folder = dirname(path);
  await makeFolder(folder);
  // `deleteAll` may move the new folder away in between.
  const moved = await unlessMissing(rename(written, path).then(() => true));
  if (!moved) {
    await makeFolder(folder);
    await rename(written, path);
  }
  // The folders above as well: another put may have made them a moment ago, and not have come to its fsync.
  const folders = [folder, dirname(folder), dirname(dirname(folder))];
  await Promise.all(folders.map((each) => unlessMissing(sync(each))));
}
