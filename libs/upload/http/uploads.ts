import { createHash } from 'node:crypto';
import { newId } from '#libs/kernel';
import { execute, runtimeTimers, withMetadata, type ClientContext } from '#libs/runtime';
import { WrongExpectedRevision } from '#libs/store/port';
import { findUpload } from '../event/find-upload.js';
import { upload, uploadEvents, uploadOwner, type UploadStored } from '../event/upload.js';
import { discardUpload, expiryPurpose, expiryTimerKey, type UploadStorage } from '../handlers/expiry.reactor.js';

/** How long an upload is kept, in milliseconds. */
export const uploadLifetime = 24 * 60 * 60 * 1000;

/** An upload as the API shows it. */
export interface UploadView {
  readonly id: string;
  /** In bytes. */
  readonly size: number;
  /** SHA-256 of the content, in hex. */
  readonly sha256: string;
  /** RFC 3339. */
  readonly expiresAt: string;
}

export interface UploadServices extends UploadStorage {
  readonly client: ClientContext<typeof uploadEvents, typeof uploadEvents | typeof runtimeTimers>;
  /** Bytes that an upload may have. */
  readonly uploadLimit: number;
}

/** Decided writes and reads of uploads. Times are milliseconds since the Unix epoch. */
export class Uploads {
  constructor(private readonly services: UploadServices) {}

  /** The same, with the caller named in what is written. @param caller undefined: nobody has to say who they are */
  by(caller: string | undefined): Uploads {
    if (caller === undefined) return this;
    return new Uploads({ ...this.services, client: withMetadata(this.services.client, { caller }) });
  }

  /**
   * Stores what comes; durable before it resolves. Where the content ends in an error, nothing is kept and that error is
   * thrown.
   * @throws StoreUnavailable
   */
  async store(content: AsyncIterable<Uint8Array>, now: number): Promise<UploadView> {
    const id = newId();
    const dueAt = now + uploadLifetime;
    await this.schedule(id, dueAt);
    let stored: UploadStored;
    let sha256: string;
    try {
      ({ stored, sha256 } = await this.seal(id, content, new Date(dueAt).toISOString()));
    } catch (error) {
      await discardUpload(this.services, id);
      await this.cancel(id);
      throw error;
    }
    await execute(this.services.client, uploadEvents, upload, id, { type: 'store', stored }, 'noStream');
    return { id, size: stored.blob.size, sha256, expiresAt: stored.expiresAt };
  }

  /** Undefined when there is none, or none any more. @throws InvalidRecord, StoreUnavailable */
  async get(id: string, now: number): Promise<UploadView | undefined> {
    const found = await findUpload(this.services.client, this.services.vault, id, now);
    return found && { id, size: found.blob.size, sha256: found.sha256, expiresAt: found.expiresAt };
  }

  /** False when there was none, ever. Resolves when it cannot be read any more. @throws InvalidRecord, StoreUnavailable */
  async remove(id: string): Promise<boolean> {
    const { state } = await execute(this.services.client, uploadEvents, upload, id, {
      type: 'remove',
      reason: 'requested',
    });
    if (state.status === 'none') return false;
    await discardUpload(this.services, id);
    await this.cancel(id);
    return true;
  }

  private async seal(
    id: string,
    content: AsyncIterable<Uint8Array>,
    expiresAt: string,
  ): Promise<{ readonly stored: UploadStored; readonly sha256: string }> {
    const { vault, blobs } = this.services;
    const owner = uploadOwner(id);
    const hash = createHash('sha256');
    const blob = await blobs.put(
      owner,
      id,
      hashing(content, (chunk) => hash.update(chunk)),
    );
    const sha256 = hash.digest('hex');
    return { stored: { blob, sha256: await vault.sealFor(owner, 'hash', sha256), expiresAt }, sha256 };
  }

  /** Before anything is stored: whatever a crash leaves of the upload goes when the timer fires. */
  private async schedule(id: string, dueAt: number): Promise<void> {
    const data = { dueAt, purpose: expiryPurpose };
    const scheduled = { type: 'runtime.timer-scheduled.v1', data } as const;
    await this.services.client.append(runtimeTimers, expiryTimerKey(id), 'noStream', [scheduled], {
      correlationId: id,
    });
  }

  private async cancel(id: string): Promise<void> {
    const cancelled = { type: 'runtime.timer-cancelled.v1', data: { purpose: expiryPurpose } } as const;
    try {
      await this.services.client.append(runtimeTimers, expiryTimerKey(id), 0n, [cancelled], { correlationId: id });
    } catch (error) {
      // It has fired, or was cancelled before.
      if (!(error instanceof WrongExpectedRevision)) throw error;
    }
  }
}

async function* hashing(
  content: AsyncIterable<Uint8Array>,
  update: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    update(chunk);
    yield chunk;
  }
}
