import type { Authenticator, Caller } from '../caller.js';
import { ApiKey, hashOfKey } from './api-key.js';
import { KeyFileMalformed, normalHash, parseKeyFile } from './key-file.js';
import { textOfKeyFile } from './read-key-file.js';

/** Milliseconds between two looks at the file. */
const lookEvery = 1_000;

export interface KeyRingLog {
  /** The file was read anew. @param keys how many it has */
  changed(keys: number): void;
  /** The file cannot be used now: what it said before still holds. */
  unusable(reason: string): void;
}

/**
 * The keys of a file, as it is now: it is looked at every second. As long as it cannot be used, the keys that it had
 * before stay.
 */
export class KeyRing implements Authenticator {
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  /** Why the file cannot be used now; undefined: it can. */
  private trouble: string | undefined;

  private constructor(
    private readonly file: string,
    private text: string,
    private keys: ReadonlyMap<string, ApiKey>,
    private readonly log: KeyRingLog,
    private readonly now: () => number,
  ) {}

  /** @throws KeyFileMalformed, also where it cannot be read */
  static async open(file: string, log: KeyRingLog, now: () => number = Date.now): Promise<KeyRing> {
    const text = await textOfKeyFile(file);
    const ring = new KeyRing(file, text, keysOf(text), log, now);
    ring.lookLater();
    return ring;
  }

  identify(bearer: string): Caller | undefined {
    const key = this.keys.get(hashOfKey(bearer));
    return key === undefined || key.isExpired(this.now()) ? undefined : key;
  }

  /** Why the keys are not those of the file as it is now; undefined where they are. */
  get problem(): string | undefined {
    return this.trouble;
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  /** Looks at the file now. */
  async look(): Promise<void> {
    try {
      const text = await textOfKeyFile(this.file);
      if (text !== this.text) this.take(text);
      this.trouble = undefined;
    } catch (error) {
      if (!(error instanceof KeyFileMalformed)) throw error;
      if (error.message !== this.trouble) this.log.unusable(error.message);
      this.trouble = error.message;
    }
    const now = this.now();
    for (const key of this.keys.values()) if (key.isExpired(now)) key.revoke();
  }

  private take(text: string): void {
    const before = this.keys;
    this.keys = keysOf(text, before);
    this.text = text;
    for (const key of before.values()) if (this.keys.get(key.hash) !== key) key.revoke();
    this.log.changed(this.keys.size);
  }

  private lookLater(): void {
    if (this.isClosed) return;
    this.timer = setTimeout(() => void this.look().then(() => this.lookLater()), lookEvery);
    this.timer.unref();
  }
}

/** @param before keys whose entries are as they were stay the same, with all who wait for their end */
function keysOf(text: string, before: ReadonlyMap<string, ApiKey> = new Map()): ReadonlyMap<string, ApiKey> {
  const keys = parseKeyFile(text).map((entry) => {
    const known = before.get(normalHash(entry.hash));
    return known?.isOf(entry) ? known : new ApiKey(entry);
  });
  return new Map(keys.map((key) => [key.hash, key]));
}
