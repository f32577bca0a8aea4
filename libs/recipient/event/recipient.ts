import { isDeepStrictEqual } from 'node:util';
import { IsIn, IsOptional, IsString, ValidateNested } from 'class-validator';
import { defineStream, type Decider, type InvalidRecord, type MessageOf } from '#libs/kernel';
import { IsRfc3339, schemaOf, Type } from '#libs/validation';
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

/** No mail gets to the address any more: a mail came back since there is no such mailbox. */
export class RecipientAddressUndeliverable {
  @IsIn(['email'])
  channel!: 'email';

  /** As it stands in the profile. */
  @IsSealed()
  address!: Sealed;

  /** What the server said, RFC 3463: `5.1.1`. */
  @IsString()
  status!: string;

  /** When it said so. */
  @IsRfc3339()
  at!: string;
}

export const recipientEvents = defineStream('recipient', 'event', {
  'recipient.put.v1': schemaOf(RecipientProfile),
  'recipient.address-undeliverable.v1': schemaOf(RecipientAddressUndeliverable),
  'recipient.erased.v1': schemaOf(RecipientErased),
});
export type RecipientEvent = MessageOf<typeof recipientEvents>;

// 3. State.

export type RecipientState =
  | { readonly status: 'unknown' }
  | {
      readonly status: 'known';
      readonly profile: RecipientProfile;
      /** That no mail gets to the address of the profile; absent: nothing of the kind is known. */
      readonly undeliverable?: Undeliverable;
    }
  | { readonly status: 'erased'; readonly keyIds: ErasedKeys }
  /** The last record cannot be read, so that nobody can tell what the recipient is now. */
  | {
      readonly status: 'unreadable';
      readonly error: InvalidRecord;
      /** Of the erasure before that record, if there was one. */
      readonly keyIds: ErasedKeys;
    };

/** Since when nothing gets to an address, and what the server said. */
export type Undeliverable = Pick<RecipientAddressUndeliverable, 'at' | 'status'>;

/** The keys that an erasure destroys; null where its record cannot be read. */
type ErasedKeys = readonly string[] | null;

/** How the types of all versions of `recipient.erased` start: that somebody was erased is told by the type alone. */
const erasedPrefix = 'recipient.erased.';

// 4. Decisions.

export type RecipientCommand =
  | { readonly type: 'put'; readonly profile: RecipientProfile }
  /** A mail to that address came back; nothing follows where another one was put since. */
  | { readonly type: 'markUndeliverable'; readonly undeliverable: RecipientAddressUndeliverable }
  | { readonly type: 'erase'; readonly keyIds: readonly string[] };

/** To put a recipient, or to erase one, replaces all of it: what cannot be read is forgotten then. */
export const recipient: Decider<RecipientState, RecipientCommand, RecipientEvent> = {
  initial: () => ({ status: 'unknown' }),

  evolve(state, event) {
    switch (event.type) {
      case 'recipient.put.v1':
        return { status: 'known', profile: event.data };
      case 'recipient.address-undeliverable.v1': {
        const { address, at, status } = event.data;
        return hasAddress(state, address) ? { ...state, undeliverable: { at, status } } : state;
      }
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
        if (state.status === 'known' && !state.undeliverable && isDeepStrictEqual(state.profile, command.profile)) {
          return [];
        }
        return [{ type: 'recipient.put.v1', data: command.profile }];
      case 'markUndeliverable':
        if (!hasAddress(state, command.undeliverable.address) || state.undeliverable) return [];
        return [{ type: 'recipient.address-undeliverable.v1', data: command.undeliverable }];
      case 'erase':
        // An id that is not known may have notifications all the same: their content is erased with its key.
        if (state.status === 'unknown' && command.keyIds.length === 0) return [];
        if (state.status === 'erased' && destroysAll(state.keyIds, command.keyIds)) return [];
        return [{ type: 'recipient.erased.v1', data: { keyIds: [...command.keyIds] } }];
    }
  },
};

function hasAddress(
  state: RecipientState,
  address: Sealed,
): state is Extract<RecipientState, { readonly status: 'known' }> {
  return state.status === 'known' && state.profile.channels.email === address;
}

function destroysAll(erased: ErasedKeys, keyIds: readonly string[]): boolean {
  return erased !== null && keyIds.every((id) => erased.includes(id));
}
