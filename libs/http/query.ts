import { isId } from '#libs/validation';
import { invalid, type Problem } from './problem.js';

function refuse(path: string, message: string): Problem {
  return invalid([{ path, message }]);
}

/** Refuses parameters that nothing would look at. @throws Problem 422 */
export function onlyParameters(query: Readonly<Record<string, unknown>>, ...known: readonly string[]): void {
  const unknown = Object.keys(query).find((name) => !known.includes(name));
  if (unknown !== undefined) throw refuse(unknown, 'is not a known parameter');
}

/** One text, or undefined where the parameter is absent. @throws Problem 422 where it is given twice */
export function textParameter(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw refuse(name, 'must be given once');
}

/** A whole number within bounds, or undefined where the parameter is absent. @throws Problem 422 */
export function integerParameter(name: string, value: unknown, min: number, max: number): number | undefined {
  const text = textParameter(name, value);
  if (text === undefined) return undefined;
  const number = /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : NaN;
  if (!(number >= min && number <= max)) throw refuse(name, `must be a whole number from ${min} to ${max}`);
  return number;
}

/** How many items a list answers at most: 1 to 200, 50 where it is not said. @throws Problem 422 */
export function limitParameter(value: unknown): number {
  return integerParameter('limit', value, 1, 200) ?? 50;
}

/** How long to wait, in milliseconds, from seconds from 0 to 60 with up to three decimals; 0 where it is not said. @throws Problem 422 */
export function waitParameter(value: unknown): number {
  const text = textParameter('wait', value);
  if (text === undefined) return 0;
  const seconds = /^\d{1,2}(\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
  if (!(seconds <= 60)) throw refuse('wait', 'must be seconds from 0 to 60');
  return Math.round(seconds * 1000);
}

/** A position in the store, or undefined where the parameter is absent. @throws Problem 422 */
export function positionParameter(name: string, value: unknown): bigint | undefined {
  const text = textParameter(name, value);
  if (text === undefined) return undefined;
  const position = /^(0|[1-9]\d{0,18})$/.test(text) ? BigInt(text) : -1n;
  if (position < 0n || position > 0x7fff_ffff_ffff_ffffn) throw refuse(name, 'must be a position');
  return position;
}

/**
 * An id that a path names: safe to store in clear. Text that looks sealed is refused, since whoever reads the records
 * would have it opened.
 * @throws Problem 422
 */
export function clearTextParameter(name: string, value: string): string {
  if (!isId(value) || value.startsWith('sealed.'))
    throw refuse(name, 'must be an id of 1 to 200 printable characters without slashes');
  return value;
}
