import {
  FolderBlobStore,
  MalformedS3Url,
  nameOfS3,
  openS3Blobs,
  parseS3Url,
  transferBlobs,
  type BlobInventory,
  type TransferredBlobs,
} from '#libs/blob';
import { StoreUnusable } from '#libs/store/port';
import { CommandFailed, exitCodes } from '../exit-codes.js';
import { placeOf, urlOf } from '../places.js';
import { betweenPlaces, refuseSame, type Copied, type CopyRequest } from './between-places.js';
import { openInDirectory, type Opened } from './data-directory.js';

/** @throws CommandFailed */
export async function copyAllBlobs(
  request: CopyRequest,
  progress: (text: string) => void,
): Promise<Copied<TransferredBlobs>> {
  refuseSame(request);
  return betweenPlaces(request, openBlobs, (source, target) =>
    transferBlobs(source, target, (blobs) => progress(`${blobs} blobs`)),
  );
}

async function openBlobs(option: 'from' | 'to', text: string): Promise<Opened<BlobInventory>> {
  const place = placeOf(option, text);
  if (place.startsWith('s3:')) return openBucket(option, place);
  const needed = option === 'from' ? 'blobs' : undefined;
  return openInDirectory<BlobInventory>(
    option,
    place,
    'an s3:// URL',
    needed,
    (directory) => FolderBlobStore.open(directory),
    () => undefined,
  );
}

async function openBucket(option: string, url: string): Promise<Opened<BlobInventory>> {
  const location = urlOf(option, url, parseS3Url, MalformedS3Url);
  try {
    const store = await openS3Blobs({ location });
    // A server would wait for it.
    await store.check();
    return { name: nameOfS3(location), store, close: () => store.close() };
  } catch (error) {
    if (!(error instanceof StoreUnusable)) throw error;
    throw new CommandFailed(exitCodes.refused, error.message);
  }
}
