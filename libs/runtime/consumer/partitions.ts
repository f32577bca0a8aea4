import type { AnyHandler } from '../topology/handler.js';

/**
 * The partition of a flow, by a hash (FNV-1a, mixed) of its correlation id. Never change it: what a partition has done is kept
 * under its number.
 */
export function partitionOf(flow: string, count: number): number {
  if (count === 1) return 0;
  let hash = 0x811c9dc5;
  for (let index = 0; index < flow.length; index += 1) {
    hash = Math.imul(hash ^ flow.charCodeAt(index), 0x01000193);
  }
  // The low bits of the hash alone would depend on the low bits of the characters only.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) % count;
}

/** Into how many partitions the handler's flows are split, where the store has so many. */
export function partitionsOf({ partitioned }: Pick<AnyHandler, 'partitioned'>, count: number): number {
  return partitioned ? count : 1;
}
