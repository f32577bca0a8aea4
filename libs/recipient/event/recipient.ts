import { isDeepStrictEqual } from 'node:util';
import { IsOptional, IsString, ValidateNested } from 'class-validator';
import { defineStream, type Decider, type InvalidRecord, type MessageOf } from '#libs/kernel';
import { schemaOf, Type } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';
import { Preferences } from './preferences.js';

// 1. Who the personal data belongs to.

/** The owner of a recipient's key. */
export function recipientOwner(recipientId: string): string {
  return `recipient/${recipientId}`;
}

// 2. Events: these names and shapes are the storage format.

export class RecipientChannels {
  /** A sealed mail address. */
  @IsOptional()
  @IsSealed()
  email?: Sealed;

  /** A sealed Slack channel. */
  @IsOptional()
  @IsSealed()
  slack?: Sealed;
}

/** All of a recipient, as it was put. */
export class RecipientProfile {
  @IsOptional()
  @IsSealed()
  displayName!: Sealed | null;

  @IsOptional()
  @IsString()
  locale!: string | null;

  @IsOptional()
  @IsString()
  timeZone!: string | null;

  @ValidateNested()
  @Type(() => RecipientChannels)
  channels!: RecipientChannels;

  @IsOptional()
  @ValidateNested()
  @Type(() => Preferences)
  preferences!: Preferences | null;
}

export class RecipientErased {
  /** The keys that the recipient's data was sealed under until then: these are destroyed, later ones are not. */
  @IsString({ each: true })
  keyIds!: string[];
}

export const recipientEvents = defineStream('recipient', 'event', {
  'recipient.put.v1': schemaOf(RecipientProfile),
  'recipient.erased.v1': schemaOf(RecipientErased),
});
export type RecipientEvent = MessageOf<typeof recipientEvents>;

// 3. State.

export type RecipientState =
  | { readonly status: 'unknown' }
  | { readonly status: 'known'; readonly profile: RecipientProfile }
  | { readonly status: 'erased'; readonly keyIds: ErasedKeys }
  /** The last record cannot be read, so that nobody can tell what the recipient is now. */
  | {
      readonly status: 'unreadable';
      readonly error: InvalidRecord;
      /** Of the erasure before that record, if there was one. */
      readonly keyIds: ErasedKeys;
    };

/** The keys that an erasure destroys; null where its record cannot be read. */
type ErasedKeys = readonly string[] | null;

/** How the types of all versions of `recipient.erased` start: that somebody was erased is told by the type alone. */
const erasedPrefix = 'recipient.erased.';

// 4. Decisions.

export type RecipientCommand =
  | { readonly type: 'put'; readonly profile: RecipientProfile }
  | { readonly type: 'erase'; readonly keyIds: readonly string[] };

/** Every event replaces all of the recipient: one that cannot be read is forgotten with the next. */
export const recipient: Decider<RecipientState, RecipientCommand, RecipientEvent> = {
  initial: () => ({ status: 'unknown' }),

  evolve(_state, event) {
    switch (event.type) {
      case 'recipient.put.v1':
        return { status: 'known', profile: event.data };
      case 'recipient.erased.v1':
        return { status: 'erased', keyIds: event.data.keyIds };
    }
  },

  evolveUnreadable(state, error) {
    if (error.type.startsWith(erasedPrefix)) return { status: 'erased', keyIds: null };
    return { status: 'unreadable', error, keyIds: 'keyIds' in state ? state.keyIds : [] };
  },

  decide(state, command) {
    switch (command.type) {
      case 'put':
        // Only the same command has the same sealed texts; who puts the same data again is told before.
        if (state.status === 'known' && isDeepStrictEqual(state.profile, command.profile)) return [];
        return [{ type: 'recipient.put.v1', data: command.profile }];
      case 'erase':
        // An id that is not known may have notifications all the same: their content is erased with its key.
        if (state.status === 'unknown' && command.keyIds.length === 0) return [];
        if (state.status === 'erased' && destroysAll(state.keyIds, command.keyIds)) return [];
        return [{ type: 'recipient.erased.v1', data: { keyIds: [...command.keyIds] } }];
    }
  },
};

function destroysAll(erased: ErasedKeys, keyIds: readonly string[]): boolean {
  return erased !== null && keyIds.every((id) => erased.includes(id));
}
