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
