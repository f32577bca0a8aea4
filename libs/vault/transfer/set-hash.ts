import { createHash } from 'node:crypto';

const modulus = 1n << 256n;

/** A hash over many texts that is the same in whatever order they come: the sum of their SHA-256. */
export class SetHash {
  private sum = 0n;

  add(text: string): void {
    this.sum = (this.sum + BigInt(`0x${createHash('sha256').update(text).digest('hex')}`)) % modulus;
  }

  /** 64 hexadecimal digits. */
  digest(): string {
    return this.sum.toString(16).padStart(64, '0');
  }
}
