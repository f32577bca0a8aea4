import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashOfKey, newKey, type KeyEntry } from '#libs/access';

export interface Keys {
  /** For `TIDINGS_API_KEYS_FILE`. */
  readonly file: string;
  /** Makes a key; it is in the file once `write` was called. */
  make(name: string, scopes: readonly string[], more?: Partial<KeyEntry>): string;
  /** Takes keys out; likewise. */
  remove(...keys: readonly string[]): void;
  write(): Promise<void>;
}

/** API keys in a file of the folder. */
export function keysIn(folder: string): Keys {
  const file = join(folder, 'keys.json');
  const entries = new Map<string, KeyEntry>();
  return {
    file,
    make(name, scopes, more = {}) {
      const key = newKey(name);
      entries.set(key, { name, hash: hashOfKey(key), scopes: scopes as KeyEntry['scopes'], ...more });
      return key;
    },
    remove(...keys) {
      for (const key of keys) entries.delete(key);
    },
    write: () => writeFile(file, JSON.stringify([...entries.values()])),
  };
}
