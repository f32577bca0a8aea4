import { invalid, positionParameter, streamsOf, textParameter } from '#libs/http';
import { isVersioned, keyOf } from '#libs/kernel';
import type { Topology } from '#libs/runtime';
import { isHeaderSafe } from '#libs/validation';
import type { AuditFilter } from '../audit-filter.js';

/** The parameters of a request; those of a filter may be given several times. */
export type QueryParameters = Readonly<Record<string, unknown>>;

export const filterParameters = ['category', 'stream', 'type', 'correlationId'] as const;

/** @throws Problem 422 */
export function auditFilter(query: QueryParameters, topology: Topology<never>): AuditFilter {
  const streams = streamsOf(topology);
  const isKnown = (text: string): boolean =>
    streams.some((stream) =>
      isVersioned(stream)
        ? text.startsWith(stream.category) && /^\.[1-9]\d{0,8}$/.test(text.slice(stream.category.length))
        : text === stream.category,
    );
  return {
    // A name that is misspelt would look as if nothing had happened.
    categories: texts(query, 'category', isKnown, 'must be a category of streams'),
    streams: texts(query, 'stream', isStreamName, 'must be the name of a stream, <category>-<key>'),
    types: texts(query, 'type', isLine, 'must be 1 to 500 printable characters'),
    correlationIds: texts(query, 'correlationId', isLine, 'must be 1 to 500 printable characters'),
  };
}

/** Exclusive: where a page begins, from `cursor` or `after`. 0 where neither is given. @throws Problem 422 */
export function afterParameter(query: QueryParameters): bigint {
  const cursor = textParameter('cursor', query['cursor']);
  if (cursor !== undefined && query['after'] !== undefined) {
    throw invalid([{ path: 'cursor', message: 'must not be given together with after' }]);
  }
  const name = cursor === undefined ? 'after' : 'cursor';
  return positionParameter(name, query[name]) ?? 0n;
}

function texts(
  query: QueryParameters,
  name: (typeof filterParameters)[number],
  isValid: (text: string) => boolean,
  message: string,
): readonly string[] | undefined {
  const value = query[name];
  if (value === undefined) return undefined;
  const given = Array.isArray(value) ? (value as unknown[]) : [value];
  return given.map((text) => {
    if (typeof text !== 'string' || !isValid(text)) throw invalid([{ path: name, message }]);
    return text;
  });
}

function isLine(text: string): boolean {
  return isHeaderSafe(text) && text.length >= 1 && text.length <= 500;
}

/** The store's own streams start with `$`: they are no part of the history. */
function isStreamName(text: string): boolean {
  return isLine(text) && !text.startsWith('$') && !text.startsWith('-') && keyOf(text) !== '';
}
