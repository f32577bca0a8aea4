import { invalid, limitParameter, textParameter } from '#libs/http';
import { isUuid } from '#libs/kernel';
import { isEmailAddress, isHeaderSafe, isId, isRfc3339 } from '#libs/validation';
import type { PageRequest } from '../list/lists.js';

/** The parameters of a request, each of them given once or not at all, unless said otherwise. */
export type QueryParameters = Readonly<Record<string, unknown>>;

/** Parameters that every list has, beside its filters. */
export const pageParameters = ['limit', 'cursor', 'atLeast'] as const;

/**
 * @param from name of the parameter for the beginning of the time of the request, inclusive
 * @param to name of the one for its end, exclusive
 * @param cursorDigits length of the cursors of this list
 * @throws Problem 422
 */
export function pageRequest(query: QueryParameters, from: string, to: string, cursorDigits: number): PageRequest {
  return {
    after: cursorParameter(query['cursor'], cursorDigits),
    limit: limitParameter(query['limit']),
    from: checked(from, query[from], isRfc3339, 'must be an RFC 3339 time like 2026-01-31T12:00:00Z'),
    to: checked(to, query[to], isRfc3339, 'must be an RFC 3339 time like 2026-01-31T12:00:00Z'),
  };
}

function cursorParameter(value: unknown, digits: number): string | undefined {
  const text = textParameter('cursor', value);
  if (text === undefined) return undefined;
  if (text.length !== digits || !/^[0-9a-f]+$/.test(text)) {
    throw invalid([{ path: 'cursor', message: 'must be the nextCursor of an answer' }]);
  }
  return text;
}

/** One of these texts. @throws Problem 422 */
export function oneOf<Text extends string>(query: QueryParameters, name: string, known: readonly Text[]) {
  const isKnown = (text: unknown): text is Text => known.some((one) => one === text);
  return checked(name, query[name], isKnown, `must be one of ${known.join(', ')}`);
}

/** @throws Problem 422 */
export function idParameter(query: QueryParameters, name: string): string | undefined {
  return checked(name, query[name], isId, 'must be an id of 1 to 200 printable characters without slashes');
}

/** @throws Problem 422 */
export function uuidParameter(query: QueryParameters, name: string): string | undefined {
  return checked(name, query[name], isUuidText, 'must be an id that this API has given');
}

/** @throws Problem 422 */
export function lineParameter(query: QueryParameters, name: string): string | undefined {
  return checked(name, query[name], isLine, 'must be 1 to 200 printable characters');
}

/** @throws Problem 422 */
export function emailParameter(query: QueryParameters, name: string): string | undefined {
  return checked(name, query[name], isEmailAddress, 'must be a mail address like name@example.com');
}

/** `key:value`, which may be given several times. @throws Problem 422 */
export function tagParameters(query: QueryParameters, name: string): readonly (readonly [string, string])[] {
  const value = query[name];
  const texts = value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value];
  return texts.map((text) => {
    const [, key, tag] = (isHeaderSafe(text) && /^([^:]{1,64}):(.{0,256})$/.exec(text)) || [];
    if (key === undefined || tag === undefined) throw invalid([{ path: name, message: 'must be key:value' }]);
    return [key, tag];
  });
}

function checked<Value extends string>(
  name: string,
  value: unknown,
  isValid: (text: unknown) => text is Value,
  message: string,
): Value | undefined {
  const text = textParameter(name, value);
  if (text === undefined) return undefined;
  if (!isValid(text)) throw invalid([{ path: name, message }]);
  return text;
}

function isUuidText(text: unknown): text is string {
  return typeof text === 'string' && isUuid(text);
}

function isLine(text: unknown): text is string {
  return isHeaderSafe(text) && text.length >= 1 && text.length <= 200;
}
