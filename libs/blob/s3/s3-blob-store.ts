import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { messageOf } from '#libs/kernel';
import { StoreUnavailable, StoreUnusable } from '#libs/store/port';
import { placeOf } from '../blob-place.js';
import { type BlobStore, checkBlobId } from '../blob-store.js';
import { blobPlaceOf, type BlobInventory, type BlobPlace } from '../transfer/blob-inventory.js';
import { nameOfS3, type S3Location } from './location.js';
import { partBytes, type S3BlobOptions } from './options.js';

/** How many times the time for an answer the upload of a part may take: it has some megabytes to send first. */
const partsWithin = 6;

/** Objects that are deleted at the same time. */
const deletedAtOnce = 16;

/**
 * Blobs as objects of a bucket: `<prefix><first 2 hex digits>/<SHA-256 of the key id>/<id>`. For any number of processes:
 * an object is complete or not there.
 */
export class S3BlobStore implements BlobStore, BlobInventory {
  /** For requests that send next to nothing. */
  private readonly quickly: { readonly requestTimeout: number };

  private constructor(
    private readonly client: S3Client,
    private readonly location: S3Location,
    private readonly answerWithin: number,
  ) {
    this.quickly = { requestTimeout: answerWithin };
  }

  /** @throws StoreUnusable when the service answers that the bucket cannot be used */
  static async open({ location, answerWithin = 5_000 }: S3BlobOptions): Promise<S3BlobStore> {
    const { endpoint, region } = location;
    const client = new S3Client({
      // Services of others take any region, and know less of checksums; what is stored is authenticated by its seal.
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true, region: 'us-east-1' }),
      ...(region !== undefined && { region }),
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      maxAttempts: 2,
      requestHandler: {
        connectionTimeout: answerWithin,
        requestTimeout: partsWithin * answerWithin,
        throwOnRequestTimeout: true,
      },
    });
    const store = new S3BlobStore(client, location, answerWithin);
    try {
      await store.check();
    } catch (error) {
      if (!(error instanceof Refusal)) return store;
      store.close();
      throw new StoreUnusable(error.message);
    }
    return store;
  }

  async put(keyId: string, id: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    return this.store(this.objectOf(keyId, id), bytes);
  }

  async get(keyId: string, id: string): Promise<Readable | undefined> {
    return this.open(this.objectOf(keyId, id));
  }

  async *places(): AsyncGenerator<BlobPlace> {
    const { bucket: Bucket, prefix: Prefix } = this.location;
    for (let ContinuationToken: string | undefined; ;) {
      const list = new ListObjectsV2Command({ Bucket, Prefix, ...(ContinuationToken && { ContinuationToken }) });
      const page = await this.ask(() => this.client.send(list, this.quickly));
      for (const { Key } of page?.Contents ?? []) {
        const place = blobPlaceOf(Key!.slice(Prefix.length));
        if (place !== undefined) yield place;
      }
      ContinuationToken = page?.NextContinuationToken;
      if (ContinuationToken === undefined) return;
    }
  }

  read(place: BlobPlace): Promise<Readable | undefined> {
    return this.open(this.objectAt(place.join('/')));
  }

  write(place: BlobPlace, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    return this.store(this.objectAt(place.join('/')), bytes);
  }

  /** In parts of some megabytes, one after the other; what was uploaded of bytes that end in an error is discarded. */
  private async store(object: S3Object, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const source = new Source(bytes);
    const body = Readable.from(source, { objectMode: false });
    const params = { ...object, Body: body };
    try {
      await new Upload({ client: this.client, params, partSize: partBytes, queueSize: 1 }).done();
    } catch (error) {
      if (source.failure !== undefined) throw source.failure.error;
      throw this.unavailable(error);
    } finally {
      body.destroy();
    }
  }

  private async open(object: S3Object): Promise<Readable | undefined> {
    const answer = await this.ask(() => this.client.send(new GetObjectCommand(object), this.quickly));
    return answer && this.reading(answer.Body as Readable);
  }

  async delete(keyId: string, id: string): Promise<boolean> {
    const object = this.objectOf(keyId, id);
    if (!(await this.ask(() => this.client.send(new HeadObjectCommand(object), this.quickly)))) return false;
    await this.ask(() => this.client.send(new DeleteObjectCommand(object), this.quickly));
    return true;
  }

  async deleteAll(keyId: string): Promise<number> {
    const { bucket: Bucket } = this.location;
    const Prefix = this.folderOf(keyId);
    let deleted = 0;
    // What was listed is deleted, so the next page is always the first.
    for (;;) {
      const page = await this.ask(() => this.client.send(new ListObjectsV2Command({ Bucket, Prefix }), this.quickly));
      const keys = (page?.Contents ?? []).map(({ Key }) => Key!);
      if (keys.length === 0) return deleted;
      await inTurns(keys, (Key) =>
        this.ask(() => this.client.send(new DeleteObjectCommand({ Bucket, Key }), this.quickly)),
      );
      deleted += keys.length;
    }
  }

  /** Resolves when the bucket can be reached. @throws StoreUnavailable */
  async check(): Promise<void> {
    const { bucket: Bucket } = this.location;
    try {
      await this.client.send(new HeadBucketCommand({ Bucket }), this.quickly);
    } catch (error) {
      const status = error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? 0) : 0;
      const reason = refusals.get(status);
      throw reason === undefined ? this.unavailable(error) : new Refusal(this.textOf(reason));
    }
  }

  close(): void {
    this.client.destroy();
  }

  private folderOf(keyId: string): string {
    return `${this.location.prefix}${placeOf(keyId).join('/')}/`;
  }

  private objectOf(keyId: string, id: string): S3Object {
    checkBlobId(id);
    return { Bucket: this.location.bucket, Key: this.folderOf(keyId) + id };
  }

  private objectAt(place: string): S3Object {
    return { Bucket: this.location.bucket, Key: this.location.prefix + place };
  }

  /** Undefined where there is no such object. */
  private async ask<Answer>(call: () => Promise<Answer>): Promise<Answer | undefined> {
    try {
      return await call();
    } catch (error) {
      if (error instanceof S3ServiceException && (error.name === 'NoSuchKey' || error.name === 'NotFound')) {
        return undefined;
      }
      throw this.unavailable(error);
    }
  }

  /** The body, whose errors are the store's. */
  private reading(body: Readable): Readable {
    // Where it fails before it is read, reading it throws.
    body.on('error', () => undefined);
    const bytes = Readable.from(this.piecesOf(body), { objectMode: false });
    return bytes.once('close', () => body.destroy());
  }

  /** Waits for the service only so long, and for the reader as long as it takes. */
  private async *piecesOf(body: Readable): AsyncGenerator<Uint8Array> {
    const pieces = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    for (;;) {
      const late = setTimeout(() => body.destroy(new Error('the rest of a blob did not come')), this.answerWithin);
      try {
        const piece = await pieces.next();
        if (piece.done) return;
        clearTimeout(late);
        yield piece.value;
      } catch (error) {
        throw this.unavailable(error);
      } finally {
        clearTimeout(late);
      }
    }
  }

  /** An answer may quote the request: only the error's name goes on, and the text of an error of this side. */
  private unavailable(error: unknown): StoreUnavailable {
    const reason = error instanceof S3ServiceException ? error.name : messageOf(error);
    return new StoreUnavailable(this.textOf(reason));
  }

  private textOf(reason: string): string {
    return `blobs in ${nameOfS3(this.location)}: ${reason}`;
  }
}

interface S3Object {
  readonly Bucket: string;
  readonly Key: string;
}

/** The service has answered, and not for want of trying: it will go on refusing. */
class Refusal extends StoreUnavailable {}

const refusals: ReadonlyMap<number, string> = new Map([
  [301, 'the bucket is in another region'],
  [400, 'the service does not understand the request: look at the region and the credentials'],
  [403, 'these credentials are not allowed to use the bucket'],
  [404, 'there is no such bucket'],
]);

/** Bytes that remember in which error they ended: theirs, not that of whoever reads them no further. */
class Source implements AsyncIterable<Uint8Array> {
  failure: { readonly error: unknown } | undefined;

  constructor(private readonly bytes: AsyncIterable<Uint8Array>) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const bytes = this.bytes[Symbol.asyncIterator]();
    try {
      for (let next = await this.next(bytes); !next.done; next = await this.next(bytes)) yield next.value;
    } finally {
      await bytes.return?.();
    }
  }

  private async next(bytes: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    try {
      return await bytes.next();
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}

/** Does the work for each item, for some of them at the same time. */
async function inTurns<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const rest = items[Symbol.iterator]();
  const workers = Array.from({ length: deletedAtOnce }, async () => {
    for (const item of rest) await work(item);
  });
  await Promise.all(workers);
}
