import { isDeepStrictEqual } from 'node:util';
import type { SealedBlobs } from '#libs/blob';
import { streamName } from '#libs/kernel';
import { execute, loadAggregate, type ClientContext } from '#libs/runtime';
import { WrongExpectedRevision } from '#libs/store/port';
import { KeyDestroyed, type Sealed, type Vault } from '#libs/vault';
import { recipient, recipientEvents, recipientOwner, type RecipientProfile } from '../event/recipient.js';
import { destroyPersonalData } from '../handlers/erasure.reactor.js';
import type { PutRecipientDto } from './put-recipient.dto.js';

/** A recipient as the API shows it. */
export interface RecipientView {
  readonly id: string;
  readonly displayName: string | null;
  readonly locale: string | null;
  readonly timeZone: string | null;
  readonly channels: {
    readonly email?: { readonly address: string };
    readonly slack?: { readonly channel: string };
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

const mostTries = 10;

/** Decided writes and reads of recipients. */
export class Recipients {
  constructor(private readonly services: RecipientServices) {}

  /** @throws WrongExpectedRevision, StoreUnavailable */
  put(
    id: string,
    dto: PutRecipientDto,
    ifMatch: RevisionCondition,
  ): Promise<Decided<RecipientView> & { readonly created: boolean }> {
    return undisturbed(ifMatch, () => this.tryToPut(id, dto, ifMatch));
  }

  /** Undefined when there is none, or it was erased. */
  get(id: string): Promise<Decided<RecipientView> | undefined> {
    return undisturbed(undefined, async () => {
      const { state, revision, position } = await loadAggregate(this.services.client, recipientEvents, recipient, id);
      if (state.status !== 'known') return undefined;
      return { result: await this.show(id, state.profile), revision: revision as bigint, position };
    });
  }

  /** Undefined when there was nothing to erase, ever. Resolves when nothing sealed until then can be read. */
  erase(id: string, ifMatch: RevisionCondition): Promise<Decided<null> | undefined> {
    return undisturbed(ifMatch, () => this.tryToErase(id, ifMatch));
  }

  private async tryToPut(
    id: string,
    dto: PutRecipientDto,
    ifMatch: RevisionCondition,
  ): Promise<Decided<RecipientView> & { readonly created: boolean }> {
    const { client, vault } = this.services;
    const { state, revision, position } = await loadAggregate(client, recipientEvents, recipient, id);
    const created = state.status !== 'known';
    const wanted = viewOf(id, dto);
    if (ifMatch !== undefined && (created || (ifMatch !== 'streamExists' && ifMatch !== revision))) {
      throw new WrongExpectedRevision(streamName(recipientEvents, id), ifMatch, created ? 'noStream' : revision);
    }
    if (!created && isDeepStrictEqual(await this.show(id, state.profile), wanted)) {
      return { result: wanted, revision: revision as bigint, position, created: false };
    }
    // An erasure may have been cut short before its keys went; what is put now needs a key that nothing else has.
    if (state.status === 'erased') await destroyPersonalData(this.services, state.keyIds);
    const seal = (label: string, text: string) => vault.sealFor(recipientOwner(id), label, text);
    const profile: RecipientProfile = {
      displayName: wanted.displayName === null ? null : await seal('name', wanted.displayName),
      locale: wanted.locale,
      timeZone: wanted.timeZone,
      channels: {
        ...(wanted.channels.email && { email: await seal('address', wanted.channels.email.address) }),
        ...(wanted.channels.slack && { slack: await seal('address', wanted.channels.slack.channel) }),
      },
      preferences: wanted.preferences,
    };
    // Only on the revision it was sealed for: an erasure since then destroys the key it is sealed under.
    const decided = await execute(client, recipientEvents, recipient, id, { type: 'put', profile }, revision);
    return { result: wanted, revision: decided.revision as bigint, position: decided.position, created };
  }

  private async tryToErase(id: string, ifMatch: RevisionCondition): Promise<Decided<null> | undefined> {
    const { client, vault } = this.services;
    const found = await loadAggregate(client, recipientEvents, recipient, id);
    if (ifMatch === 'streamExists' && found.state.status !== 'known') {
      throw new WrongExpectedRevision(streamName(recipientEvents, id), ifMatch, 'noStream');
    }
    // Read after the revision that the decision holds for: so the key of every profile up to it is among them.
    const keyIds = await vault.keyIdsOf(recipientOwner(id));
    const condition = typeof ifMatch === 'bigint' ? ifMatch : found.revision;
    const decided = await execute(client, recipientEvents, recipient, id, { type: 'erase', keyIds }, condition);
    const { state, revision, position } = decided;
    if (state.status !== 'erased') return undefined;
    await destroyPersonalData(this.services, state.keyIds);
    return { result: null, revision: revision as bigint, position };
  }

  private async show(id: string, profile: RecipientProfile): Promise<RecipientView> {
    const { vault } = this.services;
    const open = async (sealed: Sealed) => vault.openNow(sealed) ?? (await vault.open(sealed));
    const { displayName, locale, timeZone, channels, preferences } = profile;
    return {
      id,
      displayName: displayName === null ? null : await open(displayName),
      locale,
      timeZone,
      channels: {
        ...(channels.email && { email: { address: await open(channels.email) } }),
        ...(channels.slack && { slack: { channel: await open(channels.slack) } }),
      },
      preferences,
    };
  }
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

function viewOf(id: string, dto: PutRecipientDto): RecipientView {
  const { displayName = null, locale = null, timeZone = null, channels, preferences = null } = dto;
  return {
    id,
    displayName,
    locale,
    timeZone,
    channels: {
      ...(channels.email && { email: { address: channels.email.address } }),
      ...(channels.slack && { slack: { channel: channels.slack.channel } }),
    },
    preferences,
  };
}
