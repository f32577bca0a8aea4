import { timingSafeEqual } from 'node:crypto';
import { isUuid } from '#libs/kernel';
import type { Vault } from '#libs/vault';

const idBytes = 16;
/** 72 bits: whoever tries to guess one has to ask this server each time. */
const macBytes = 9;
/** Base 32 of both, five bits a digit. Some servers change the case of an address. */
const tokenDigits = ((idBytes + macBytes) * 8) / 5;

/** Characters that a local part has room for beside `+` and the token: it has 64 at most (RFC 5321). */
export const mostLocalPart = 64 - 1 - tokenDigits;

/**
 * The addresses that mails come back to, one for each mail: `bounces+<token>@mail.example.com`. The token names the
 * operation and is authenticated under a key of the installation, so that nobody can report on mails that are not theirs.
 */
export class BounceAddresses {
  private readonly local: string;
  private readonly domain: string;
  private readonly pattern: RegExp;

  /** @param address `bounces@mail.example.com`, the local part without `+` and of `mostLocalPart` characters at most */
  constructor(
    address: string,
    private readonly vault: Vault,
  ) {
    const at = address.lastIndexOf('@');
    this.local = address.slice(0, at);
    this.domain = address.slice(at + 1);
    const [local, domain] = [this.local, this.domain].map((part) => part.replaceAll(/[^\w-]/g, '\\$&'));
    this.pattern = new RegExp(`(?<![\\w.+-])${local}\\+([0-9a-v]{${tokenDigits}})@${domain}(?![\\w.-])`, 'gi');
  }

  /** The address for what becomes of an operation's mail. @throws StoreUnavailable */
  async of(operationId: string): Promise<string> {
    const token = Buffer.concat([Buffer.from(operationId.replaceAll('-', ''), 'hex'), await this.mac(operationId)]);
    return `${this.local}+${digitsOf(token)}@${this.domain}`;
  }

  /** The operation that the first address of ours in the text is for; undefined where there is none. @throws StoreUnavailable */
  async operationIn(text: string): Promise<string | undefined> {
    for (const [, digits] of text.matchAll(this.pattern)) {
      const token = bytesOf(digits!.toLowerCase());
      const hex = token.toString('hex', 0, idBytes);
      const operationId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
      if (!isUuid(operationId)) continue;
      if (timingSafeEqual(token.subarray(idBytes), await this.mac(operationId))) return operationId;
    }
    return undefined;
  }

  private async mac(operationId: string): Promise<Buffer> {
    const index = await this.vault.blindIndex('bounces');
    return index.hash(`email:${operationId}`).subarray(0, macBytes);
  }
}

function digitsOf(token: Buffer): string {
  return BigInt(`0x${token.toString('hex')}`)
    .toString(32)
    .padStart(tokenDigits, '0');
}

function bytesOf(digits: string): Buffer {
  let value = 0n;
  for (const digit of digits) value = value * 32n + BigInt(parseInt(digit, 32));
  return Buffer.from(value.toString(16).padStart((idBytes + macBytes) * 2, '0'), 'hex');
}
