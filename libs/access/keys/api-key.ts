import { hash, randomBytes } from 'node:crypto';
import type { Caller } from '../caller.js';
import { everyScope, type Scope } from '../scopes.js';
import { normalHash, type KeyEntry } from './key-file.js';

/** SHA-256 of a key, in hex: what is kept of it, and what it is found by. */
export function hashOfKey(key: string): string {
  return hash('sha256', key, 'hex');
}

/** A new key of 256 random bits. It begins with whose it is, so that one that is found somewhere can be revoked. */
export function newKey(name: string): string {
  return `tdk_${name}_${randomBytes(32).toString('base64url')}`;
}

/** A key as long as its entry stands as it is. */
export class ApiKey implements Caller {
  readonly name: string;
  /** In hex. */
  readonly hash: string;
  private readonly scopes: ReadonlySet<string>;
  private readonly notAfter: number;
  private readonly waiting = new Set<() => void>();
  private isRevoked = false;

  constructor(private readonly entry: KeyEntry) {
    this.name = entry.name;
    this.hash = normalHash(entry.hash);
    this.scopes = new Set(entry.scopes);
    this.notAfter = entry.notAfter == null ? Infinity : Date.parse(entry.notAfter);
  }

  may(scope: Scope): boolean {
    return this.scopes.has(scope) || this.scopes.has(everyScope);
  }

  /** @param now milliseconds since the Unix epoch */
  isExpired(now: number): boolean {
    return now >= this.notAfter;
  }

  isOf({ name, scopes, notAfter }: KeyEntry): boolean {
    const mine = this.entry;
    return name === mine.name && (notAfter ?? null) === (mine.notAfter ?? null) && sameItems(scopes, mine.scopes);
  }

  onceRevoked(callback: () => void): () => void {
    if (this.isRevoked) callback();
    else this.waiting.add(callback);
    return () => this.waiting.delete(callback);
  }

  /** Tells all who wait for it. */
  revoke(): void {
    this.isRevoked = true;
    const told = [...this.waiting];
    this.waiting.clear();
    for (const callback of told) callback();
  }
}

function sameItems(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item) => other.includes(item));
}
