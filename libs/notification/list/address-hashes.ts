import type { Channel } from '#libs/recipient';
import { comparableEmailAddress } from '#libs/validation';
import { KeyDestroyed, keyIdOf, SealBroken, type BlindIndex, type Sealed, type Vault } from '#libs/vault';
import type { AddressHash } from './entries.js';

/** By which addresses are found without standing in the index. */
export class AddressHashes {
  private index: BlindIndex | undefined;

  constructor(private readonly vault: Vault) {}

  /** Of the key under which they are made. @throws StoreUnavailable */
  async keyId(): Promise<string> {
    return (await this.open()).id;
  }

  /** Hexadecimal digits. @throws StoreUnavailable */
  async of(channel: Channel, address: string): Promise<string> {
    return (await this.open()).hash(`${channel}:${normalised(channel, address)}`).toString('hex');
  }

  /** Null where the address cannot be read any more. @throws StoreUnavailable */
  async ofSealed(channel: Channel, sealed: Sealed): Promise<AddressHash | null> {
    try {
      const address = this.vault.openNow(sealed) ?? (await this.vault.open(sealed));
      return { hash: await this.of(channel, address), keyId: keyIdOf(sealed) };
    } catch (error) {
      if (error instanceof KeyDestroyed || error instanceof SealBroken) return null;
      throw error;
    }
  }

  /** The key may be out of reach when the process starts; nothing ever destroys it. */
  private async open(): Promise<BlindIndex> {
    return (this.index ??= await this.vault.blindIndex('addresses'));
  }
}

/** Slack channels are compared as they are. */
function normalised(channel: Channel, address: string): string {
  return channel === 'email' ? comparableEmailAddress(address) : address;
}
