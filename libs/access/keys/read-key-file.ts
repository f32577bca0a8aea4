import { readFile, stat } from 'node:fs/promises';
import { KeyFileMalformed, parseKeyFile, type KeyEntry } from './key-file.js';

/** Bytes; some thousand keys. */
const largest = 1_048_576;

/** @throws KeyFileMalformed, also where it cannot be read */
export async function readKeyFile(file: string): Promise<readonly KeyEntry[]> {
  return parseKeyFile(await textOfKeyFile(file));
}

/** @throws KeyFileMalformed – it cannot be read, or is larger than a key file can be */
export async function textOfKeyFile(file: string): Promise<string> {
  try {
    const stats = await stat(file);
    if (!stats.isFile()) throw new KeyFileMalformed('is not a file');
    if (stats.size > largest) throw new KeyFileMalformed(`is larger than ${largest} bytes`);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof KeyFileMalformed) throw error;
    throw new KeyFileMalformed(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
