import { isDeepStrictEqual } from 'node:util';
import type { SealedBlobs } from '#libs/blob';
import { InvalidRecord, streamName } from '#libs/kernel';
import {
  execute,
  loadAggregate,
  readerAsOf,
  withMetadata,
  type ClientContext,
  type KnownRevision,
  type Loaded,
  type Moment,
} from '#libs/runtime';
import { WrongExpectedRevision } from '#libs/store/port';
import { KeyDestroyed, SealBroken, type Sealed, type Vault } from '#libs/vault';
import {
  recipient,
  recipientEvents,
  recipientOwner,
  type RecipientProfile,
  type RecipientState,
  type Undeliverable,
} from '../event/recipient.js';
import { destroyPersonalData } from '../handlers/erasure.reactor.js';
import type { Channel } from '../event/preferences.js';
import type { ChannelsDto, PutRecipientDto } from './put-recipient.dto.js';

/** What an address is called, by channel. */
const addressNames = { email: 'address', slack: 'channel' } as const satisfies Record<Channel, string>;
type NamedAddress<C extends Channel> = { readonly [Name in (typeof addressNames)[C]]: string };

/** A recipient as the API shows it. */
export interface RecipientView {
  readonly id: string;
  readonly displayName: string | null;
  readonly locale: string | null;
  readonly timeZone: string | null;
  readonly channels: { readonly [C in Exclude<Channel, 'email'>]?: NamedAddress<C> } & {
    readonly email?: NamedAddress<'email'> & {
      /** No mail gets there any more; absent: nothing of the kind is known. */
      readonly undeliverable?: Undeliverable;
    };
  };
  readonly preferences: RecipientProfile['preferences'];
}

export interface Decided<Result> {
  readonly result: Result;
  readonly revision: bigint;
  /** Of the recipient's last event; undefined where the store does not tell. */
  readonly position: bigint | undefined;
}

/** What an `If-Match` header asks for. */
export type RevisionCondition = bigint | 'streamExists' | undefined;

export interface RecipientServices {
  readonly client: ClientContext<typeof recipientEvents, typeof recipientEvents>;
  readonly vault: Vault;
  readonly blobs: SealedBlobs;
}

type Known = Extract<RecipientState, { readonly status: 'known' }>;

const mostTries = 10;

/** Decided writes and reads of recipients. */
export class Recipients {
  constructor(private readonly services: RecipientServices) {}

  /** The same, with the caller named in what is written. @param caller undefined: nobody has to say who they are */
  by(caller: string | undefined): Recipients {
    if (caller === undefined) return this;
    return new Recipients({ ...this.services, client: withMetadata(this.services.client, { caller }) });
  }

  /** Also where what stands cannot be read: it is replaced. @throws WrongExpectedRevision, StoreUnavailable */
  put(
    id: string,
    dto: PutRecipientDto,
    ifMatch: RevisionCondition,
  ): Promise<Decided<RecipientView> & { readonly created: boolean }> {
    return undisturbed(ifMatch, () => this.tryToPut(id, dto, ifMatch));
  }

  /** Undefined when there is none, or it was erased. @throws InvalidRecord – what stands last cannot be read */
  get(id: string): Promise<Decided<RecipientView> | undefined> {
    return undisturbed(undefined, async () => {
      const { state, revision: last, position } = await this.load(id);
      if (state.status === 'unreadable') throw state.error;
      if (state.status !== 'known') return undefined;
      const revision = last as bigint;
      return { result: await this.showStored(id, state, revision), revision, position };
    });
  }

  /**
   * As it was at the moment; what was erased since is shown as such. Undefined when there was none then.
   * @throws InvalidRecord – what stood last cannot be read
   */
  async getAsOf(id: string, moment: Moment): Promise<Decided<RecipientView> | undefined> {
    const reader = readerAsOf(this.services.client, moment);
    const { state, revision, position } = await loadAggregate(reader, recipientEvents, recipient, id);
    if (state.status === 'unreadable') throw state.error;
    if (state.status !== 'known') return undefined;
    const result = opened(id, await this.services.vault.openDeep(state.profile), state.undeliverable);
    return { result, revision: revision as bigint, position };
  }

  /**
   * Undefined when there was nothing to erase, ever. Resolves when nothing sealed until then can be read. Needs nothing
   * of what stands to be readable.
   */
  erase(id: string, ifMatch: RevisionCondition): Promise<Decided<null> | undefined> {
    return undisturbed(ifMatch, () => this.tryToErase(id, ifMatch));
  }

  private async tryToPut(
    id: string,
    dto: PutRecipientDto,
    ifMatch: RevisionCondition,
  ): Promise<Decided<RecipientView> & { readonly created: boolean }> {
    const { client, vault } = this.services;
    const loaded = await this.load(id);
    const { state, revision, position } = loaded;
    const created = !stands(state);
    const wanted = viewOf(id, dto);
    if (ifMatch !== undefined && (created || (ifMatch !== 'streamExists' && ifMatch !== revision))) {
      throw new WrongExpectedRevision(streamName(recipientEvents, id), ifMatch, created ? 'noStream' : revision);
    }
    if (state.status === 'known' && (await this.shows(id, state, wanted))) {
      return { result: wanted, revision: revision as bigint, position, created: false };
    }
    const clean = await this.finishErasure(id, loaded);
    const seal = (label: string, text: string) => vault.sealFor(recipientOwner(id), label, text);
    const profile: RecipientProfile = {
      displayName: wanted.displayName === null ? null : await seal('name', wanted.displayName),
      locale: wanted.locale,
      timeZone: wanted.timeZone,
      channels: await mapAddresses(addressesOf(wanted.channels), (address) => seal('address', address)),
      preferences: wanted.preferences,
    };
    // Only on the revision it was sealed for: an erasure since then destroys the key it is sealed under.
    const decided = await execute(client, recipientEvents, recipient, id, { type: 'put', profile }, clean);
    return { result: wanted, revision: decided.revision as bigint, position: decided.position, created };
  }

  private async tryToErase(id: string, ifMatch: RevisionCondition): Promise<Decided<null> | undefined> {
    const { client, vault } = this.services;
    const found = await this.load(id);
    if (ifMatch === 'streamExists' && !stands(found.state)) {
      throw new WrongExpectedRevision(streamName(recipientEvents, id), ifMatch, 'noStream');
    }
    // Read after the revision that the decision holds for: so the key of every profile up to it is among them.
    const keyIds = await vault.keyIdsOf(recipientOwner(id));
    const condition = typeof ifMatch === 'bigint' ? ifMatch : found.revision;
    const decided = await execute(client, recipientEvents, recipient, id, { type: 'erase', keyIds }, condition);
    const { state, revision, position } = decided;
    if (state.status !== 'erased') return undefined;
    await destroyPersonalData(this.services, state.keyIds ?? keyIds);
    return { result: null, revision: revision as bigint, position };
  }

  /**
   * An erasure may have been cut short before its keys went; what is put now needs a key that nothing else has.
   * @returns the revision at which it has
   */
  private async finishErasure(id: string, { state, revision }: Loaded<RecipientState>): Promise<KnownRevision> {
    if (state.status !== 'erased' && state.status !== 'unreadable') return revision;
    if (state.keyIds !== null) {
      await destroyPersonalData(this.services, state.keyIds);
      return revision;
    }
    // Which keys were to go cannot be read: those that exist now go, on record, so that no other put loses its key.
    const erased = await this.tryToErase(id, revision as bigint);
    return erased!.revision;
  }

  private load(id: string): ReturnType<typeof loadAggregate<typeof recipientEvents, RecipientState>> {
    return loadAggregate(this.services.client, recipientEvents, recipient, id);
  }

  /** @throws InvalidRecord where it cannot be opened, though nobody erased it */
  private async showStored(id: string, state: Known, revision: bigint): Promise<RecipientView> {
    try {
      return await this.show(id, state);
    } catch (error) {
      if (!cannotBeOpened(error)) throw error;
      const erasedMeanwhile = error instanceof KeyDestroyed && (await this.load(id)).revision !== revision;
      if (erasedMeanwhile) throw error;
      const record = { stream: streamName(recipientEvents, id), revision, type: 'recipient.put.v1' };
      throw new InvalidRecord(record, [error.message]);
    }
  }

  private async shows(id: string, state: Known, wanted: RecipientView): Promise<boolean> {
    try {
      return isDeepStrictEqual(await this.show(id, state), wanted);
    } catch (error) {
      if (cannotBeOpened(error)) return false;
      throw error;
    }
  }

  private async show(id: string, { profile, undeliverable }: Known): Promise<RecipientView> {
    const { vault } = this.services;
    const open = async (sealed: Sealed) => vault.openNow(sealed) ?? (await vault.open(sealed));
    const { displayName, locale, timeZone, channels, preferences } = profile;
    return {
      id,
      displayName: displayName === null ? null : await open(displayName),
      locale,
      timeZone,
      channels: marked(namedAddresses(await mapAddresses(channels, open)), undeliverable),
      preferences,
    };
  }
}

function cannotBeOpened(error: unknown): error is KeyDestroyed | SealBroken {
  return error instanceof KeyDestroyed || error instanceof SealBroken;
}

/** There is one to be replaced or erased, though perhaps not to be read. */
function stands(state: RecipientState): boolean {
  return state.status === 'known' || state.status === 'unreadable';
}

/** Does it again where somebody else was quicker, or erased the recipient meanwhile. */
async function undisturbed<Result>(ifMatch: RevisionCondition, attempt: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      const disturbed =
        error instanceof KeyDestroyed || (ifMatch === undefined && error instanceof WrongExpectedRevision);
      if (!disturbed || tries === mostTries) throw error;
    }
  }
}

/** @param profile with its texts opened */
function opened(id: string, profile: RecipientProfile, undeliverable: Undeliverable | undefined): RecipientView {
  const { displayName, locale, timeZone, channels, preferences } = profile;
  return {
    id,
    displayName,
    locale,
    timeZone,
    channels: marked(namedAddresses(channels), undeliverable),
    preferences,
  };
}

function viewOf(id: string, dto: PutRecipientDto): RecipientView {
  const { displayName = null, locale = null, timeZone = null, channels, preferences = null } = dto;
  return {
    id,
    displayName,
    locale,
    timeZone,
    channels: namedAddresses(addressesOf(channels)),
    preferences,
  };
}

type Addresses<Address> = { readonly [C in Channel]?: Address };

/** The addresses of what the API takes or shows. */
function addressesOf(channels: ChannelsDto | RecipientView['channels']): Addresses<string> {
  const given = Object.entries(channels) as [Channel, Readonly<Record<string, string>> | null | undefined][];
  return Object.fromEntries(given.flatMap(([channel, one]) => (one ? [[channel, one[addressNames[channel]]!]] : [])));
}

function namedAddresses(addresses: Addresses<string>): RecipientView['channels'] {
  const named = (Object.entries(addresses) as [Channel, string][]).map(([channel, address]) => [
    channel,
    { [addressNames[channel]]: address },
  ]);
  return Object.fromEntries(named) as RecipientView['channels'];
}

function marked(channels: RecipientView['channels'], undeliverable: Undeliverable | undefined) {
  if (channels.email === undefined || undeliverable === undefined) return channels;
  return { ...channels, email: { ...channels.email, undeliverable } };
}

async function mapAddresses<From, To>(
  addresses: Addresses<From>,
  change: (address: From) => Promise<To>,
): Promise<Addresses<To>> {
  const changed = (Object.entries(addresses) as [Channel, From][]).map(
    async ([channel, address]) => [channel, await change(address)] as const,
  );
  return Object.fromEntries(await Promise.all(changed));
}
