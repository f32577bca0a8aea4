import { existsSync } from 'node:fs';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import type { KeyEntry } from './key-file.js';
import { readKeyFile } from './read-key-file.js';

/** The file cannot be changed now; the message says why, in one line. */
export class KeyFileLocked extends Error {}

/**
 * Changes the entries of a key file, which is made where there is none; whoever reads it sees all of the change or
 * nothing, also after a crash.
 * @throws KeyFileMalformed, KeyFileLocked, the error of a folder that cannot be written
 */
export async function editKeyFile<Result>(
  file: string,
  edit: (entries: readonly KeyEntry[]) => { readonly entries: readonly KeyEntry[]; readonly result: Result },
): Promise<Result> {
  const target = existsSync(file) ? await realpath(file) : file;
  const draft = `${target}.new`;
  const handle = await openDraft(draft);
  try {
    const exists = existsSync(target);
    if (exists) await handle.chmod((await stat(target)).mode & 0o777);
    const { entries, result } = edit(exists ? await readKeyFile(target) : []);
    await handle.writeFile(`${JSON.stringify(entries, undefined, 2)}\n`);
    await handle.sync();
    await rename(draft, target);
    return result;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** One at a time: of two who change it at once, one would undo what the other did. */
async function openDraft(draft: string) {
  try {
    return await open(draft, 'wx', 0o644);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new KeyFileLocked(
      `${draft} is there: another command is changing the keys, or was cut short; then remove it`,
    );
  }
}
