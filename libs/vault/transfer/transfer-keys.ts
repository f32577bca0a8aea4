import { createHash } from 'node:crypto';
import { isKept, isSameKey, type KeptKey, type KeyEntry, type KeyInventory } from './key-inventory.js';
import { SetHash } from './set-hash.js';
import { TransferRefused } from './transfer-refused.js';

/** What the target has of the source when all is copied. */
export interface TransferredKeys {
  /** Keys that can be used. */
  readonly keys: number;
  /** Keys of which it is known that they are destroyed. */
  readonly destroyed: number;
  /** Of the ids, the owners and hashes of the keys; tells copies apart without telling a key. */
  readonly sha256: string;
}

export type KeyPhase = 'checking' | 'destroying' | 'copying' | 'comparing';

/** How the owners begin that are nobody: what belongs to them is made by every start, before anybody's data is sealed. */
const ofInstallation = 'installation/';

/**
 * Copies all keys to another store, then compares. A key that is destroyed on either side is destroyed in the target
 * afterwards. Killed on the way and called again, it goes on where it was.
 * @param progress told how many entries of the source a phase has seen
 * @throws TransferRefused where the target holds other keys, and is as it was; where the source was changed meanwhile;
 * StoreUnavailable, StoreUnusable
 */
export async function transferKeys(
  source: KeyInventory,
  target: KeyInventory,
  progress: (phase: KeyPhase, entries: number) => void = () => undefined,
): Promise<TransferredKeys> {
  const inPhase = (phase: KeyPhase, work: (page: readonly KeyEntry[]) => Promise<void>): Promise<number> =>
    forEachPage(source, work, (entries) => progress(phase, entries));

  const foreign: KeptKey[] = [];
  const count = await inPhase('checking', async (page) => void foreign.push(...(await checked(source, target, page))));
  // Before the keys: an owner whose key was destroyed may have another one since.
  if (foreign.length > 0) await target.destroy(foreign.map(({ id }) => id));
  await inPhase('destroying', async (page) => {
    const ids = page.filter((entry) => !isKept(entry)).map(({ id }) => id);
    if (ids.length > 0) await target.destroy(ids);
  });
  await inPhase('copying', async (page) => {
    const keys = page.filter(isKept);
    if (keys.length > 0) await target.add(keys);
  });

  const hash = new SetHash();
  const found = { keys: 0, destroyed: 0 };
  const compared = await inPhase('comparing', async (page) => {
    const standing = await target.entriesOf(page.map(({ id }) => id));
    for (const entry of page) {
      const copy = standing.get(entry.id);
      if (copy === undefined || (isKept(copy) && !(isKept(entry) && isSameKey(entry, copy)))) {
        throw new TransferRefused(`the copy is not like its source: key ${entry.id} differs; repeat this`);
      }
      found[isKept(copy) ? 'keys' : 'destroyed'] += 1;
      hash.add(JSON.stringify(isKept(copy) ? [copy.id, copy.owner, sha256(copy.key)] : [copy.id]));
    }
  });
  if (compared !== count)
    throw new TransferRefused('the source was changed meanwhile: stop what uses it, and repeat this');
  return { ...found, sha256: hash.digest() };
}

async function forEachPage(
  source: KeyInventory,
  work: (page: readonly KeyEntry[]) => Promise<void>,
  progress: (entries: number) => void,
): Promise<number> {
  let entries = 0;
  for await (const page of source.pages()) {
    await work(page);
    entries += page.length;
    progress(entries);
  }
  return entries;
}

/**
 * Looks for what the target has in the place of these keys.
 * @returns the installation's keys of a target that was never used for anything else; they have to go
 * @throws TransferRefused
 */
async function checked(source: KeyInventory, target: KeyInventory, page: readonly KeyEntry[]): Promise<KeptKey[]> {
  const keys = page.filter(isKept);
  const standing = await target.entriesOf(keys.map(({ id }) => id));
  const toCome: KeptKey[] = [];
  for (const key of keys) {
    const copy = standing.get(key.id);
    if (copy === undefined) toCome.push(key);
    else if (isKept(copy) && !isSameKey(key, copy)) {
      throw new TransferRefused(`${target.name} holds another key under the id ${key.id}`);
    }
  }
  const others = await target.keysOf(toCome.map(({ owner }) => owner));
  // An earlier run copied them; since then, the source has destroyed them.
  const known = await source.entriesOf(others.map(({ id }) => id));
  const foreign = others.filter(({ id }) => !known.has(id));
  if (foreign.length > 0 && !(await isUnused(target))) {
    throw new TransferRefused(
      `${target.name} has keys of its own: ${foreign[0]!.id} belongs to an owner who has another key in ${source.name}`,
    );
  }
  return foreign;
}

/** A server that was started with a wrong setting has made the installation's keys, and nothing else. */
async function isUnused(store: KeyInventory): Promise<boolean> {
  for await (const page of store.pages()) {
    if (!page.every((entry) => isKept(entry) && entry.owner.startsWith(ofInstallation))) return false;
  }
  return true;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
