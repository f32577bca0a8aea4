import type { Channel } from '#libs/recipient';
import { comparableEmailAddress } from '#libs/validation';
import { KeyDestroyed, keyIdOf, SealBroken, type BlindIndex, type Sealed, type Vault } from '#libs/vault';
import type { AddressHash } from './entries.js';

/** By which addresses are found without standing in the index. */
export class AddressHashes {
  private constructor(
    private readonly vault: Vault,
    private readonly hashes: BlindIndex,
  ) {}

  /** @throws StoreUnavailable */
  static async open(vault: Vault): Promise<AddressHashes> {
    return new AddressHashes(vault, await vault.blindIndex('addresses'));
  }

  /** Of the key under which they are made. */
  get keyId(): string {
    return this.hashes.id;
  }

  /** Hexadecimal digits. */
  of(channel: Channel, address: string): string {
    return this.hashes.hash(`${channel}:${normalised(channel, address)}`).toString('hex');
  }

  /** Null where the address cannot be read any more. @throws StoreUnavailable */
  async ofSealed(channel: Channel, sealed: Sealed): Promise<AddressHash | null> {
    try {
      const address = this.vault.openNow(sealed) ?? (await this.vault.open(sealed));
      return { hash: this.of(channel, address), keyId: keyIdOf(sealed) };
    } catch (error) {
      if (error instanceof KeyDestroyed || error instanceof SealBroken) return null;
      throw error;
    }
  }
}

/** Slack channels are compared as they are. */
function normalised(channel: Channel, address: string): string {
  return channel === 'email' ? comparableEmailAddress(address) : address;
}
