import { IsIn, ValidateNested } from 'class-validator';
import { StoredBlob } from '#libs/content';
import { defineStream, type Decider, type MessageOf } from '#libs/kernel';
import { IsRfc3339, schemaOf, Type } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';

// 1. Stream: one an upload, under its id. These names and shapes are the storage format.

/** It is there, to be used until its time is over. */
export class UploadStored {
  @ValidateNested()
  @Type(() => StoredBlob)
  blob!: StoredBlob;

  /** SHA-256 of the content in hex, under the upload's own key: in clear it would confirm guesses for ever. */
  @IsSealed()
  sha256!: Sealed;

  @IsRfc3339()
  expiresAt!: string;
}

export const removalReasons = ['expired', 'requested'] as const;
export type RemovalReason = (typeof removalReasons)[number];

/** It is gone, and so is its key. Copies that notifications took are theirs. */
export class UploadRemoved {
  @IsIn(removalReasons)
  reason!: RemovalReason;
}

export const uploadEvents = defineStream('upload', 'event', {
  'upload.stored.v1': schemaOf(UploadStored),
  'upload.removed.v1': schemaOf(UploadRemoved),
});
export type UploadEvent = MessageOf<typeof uploadEvents>;

// 2. State.

export type UploadState =
  { readonly status: 'none' | 'removed' } | { readonly status: 'stored'; readonly stored: UploadStored };

/** Whose key an upload is sealed under. */
export function uploadOwner(id: string): string {
  return `upload/${id}`;
}

// 3. Commands and decisions. A command that has been decided before decides nothing.

export type UploadCommand =
  | { readonly type: 'store'; readonly stored: UploadStored }
  | { readonly type: 'remove'; readonly reason: RemovalReason };

export const upload: Decider<UploadState, UploadCommand, UploadEvent> = {
  initial: () => ({ status: 'none' }),

  evolve(_state, event) {
    switch (event.type) {
      case 'upload.stored.v1':
        return { status: 'stored', stored: event.data };
      case 'upload.removed.v1':
        return { status: 'removed' };
    }
  },

  decide({ status }, command) {
    switch (command.type) {
      case 'store':
        return status === 'none' ? [{ type: 'upload.stored.v1', data: command.stored }] : [];
      case 'remove':
        return status === 'stored' ? [{ type: 'upload.removed.v1', data: { reason: command.reason } }] : [];
    }
  },
};
