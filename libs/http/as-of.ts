import type { Moment } from '#libs/runtime';
import { isRfc3339 } from '#libs/validation';
import { invalid } from './problem.js';
import { positionParameter, textParameter } from './query.js';

/** The moment of which a state is asked, or undefined where the parameter is absent. Digits alone are a position. @throws Problem 422 */
export function asOfParameter(value: unknown): Moment | undefined {
  const text = textParameter('asOf', value);
  if (text === undefined) return undefined;
  if (isRfc3339(text)) return { time: Date.parse(text) };
  if (/^\d+$/.test(text)) return { position: positionParameter('asOf', text)! };
  throw invalid([{ path: 'asOf', message: 'must be an RFC 3339 time like 2026-01-31T12:00:00Z, or a position' }]);
}
