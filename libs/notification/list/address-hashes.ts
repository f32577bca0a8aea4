import { domainToASCII } from 'node:url';
import type { Channel } from '#libs/recipient';
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

/** Mail addresses are compared without regard to case, and to how the domain is written. Slack channels are compared as they are. */
function normalised(channel: Channel, address: string): string {
  if (channel !== 'email') return address;
  const text = address.normalize('NFC').toLowerCase();
  const domainAt = text.lastIndexOf('@') + 1;
  const domain = text.slice(domainAt);
  return text.slice(0, domainAt) + (domainToASCII(domain) || domain);
}
