import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { lockDirectory } from '#libs/store/sqlite';
import { usageError } from '../exit-codes.js';

/** What a place holds, until it is closed. */
export interface Opened<Store> {
  /** For people: without credentials. */
  readonly name: string;
  readonly store: Store;
  close(): Promise<void> | void;
}

/**
 * The folder that an option names.
 * @param needed what a source has to have
 * @throws CommandFailed
 */
export function directoryOf(option: string, text: string, needed: string | undefined): string {
  const directory = resolve(text);
  if (existsSync(directory) && !statSync(directory).isDirectory())
    throw usageError(`--${option}: ${directory} is not a folder`);
  if (needed !== undefined && !existsSync(join(directory, needed)))
    throw usageError(`--${option}: ${directory} is no data directory: it has no ${needed}`);
  return directory;
}

/**
 * Opens what is in a data directory, with the lock of the directory: no server may be using it.
 * @param text what the option says; a URL is no folder
 * @param needed what a source has to have
 * @throws CommandFailed, StoreUnusable
 */
export async function openInDirectory<Store>(
  option: string,
  text: string,
  shape: string,
  needed: string | undefined,
  open: (directory: string) => Promise<Store>,
  close: (store: Store) => Promise<void> | void,
): Promise<Opened<Store>> {
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(text)) throw usageError(`--${option} must be a data directory or ${shape}`);
  const directory = directoryOf(option, text, needed);
  const lock = lockDirectory(directory);
  try {
    const store = await open(directory);
    return {
      name: directory,
      store,
      async close() {
        await close(store);
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}
