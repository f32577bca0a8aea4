import { WrongExpectedRevision } from '#libs/store/port';
import { invalid, preconditionFailed } from './problem.js';

/** The entity tag of a revision: `"5"`. */
export function etagOf(revision: bigint): string {
  return `"${revision}"`;
}

const entityTag = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/;

/**
 * The revision that an `If-Match` header demands, as a store's expected revision: `*` is any that exists, no header is
 * undefined.
 * @throws Problem 422 where it is not one entity tag; 412 where it is one that this API never gives, or a weak one
 */
export function revisionOf(ifMatch: string | undefined): bigint | 'streamExists' | undefined {
  const text = ifMatch?.trim();
  if (text === undefined) return undefined;
  if (text === '*') return 'streamExists';
  const match = entityTag.exec(text);
  if (match === null) throw invalid([{ path: 'If-Match', message: 'must be one entity tag like "5", or *' }]);
  const [, weak, tag] = match;
  if (weak !== undefined || !/^(0|[1-9]\d{0,17})$/.test(tag!))
    throw preconditionFailed('no revision has this entity tag');
  return BigInt(tag!);
}

/**
 * Executes a decided write. Where the caller named a revision, another one is the caller's business.
 * @param thing what the revision is of, for the problem: `group`
 * @throws Problem 412, naming both revisions; without `If-Match` what `execute` throws
 */
export async function underCondition<Result>(
  ifMatch: string | undefined,
  thing: string,
  execute: () => Promise<Result>,
): Promise<Result> {
  try {
    return await execute();
  } catch (error) {
    if (ifMatch === undefined || !(error instanceof WrongExpectedRevision)) throw error;
    throw preconditionFailed(`the ${thing} is at revision ${error.actual}, and not at ${error.expected}`);
  }
}
