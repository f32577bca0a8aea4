import { isUtf8 } from 'node:buffer';
import { findJsonError } from './json-error.js';
import { invalid, malformedJson } from './problem.js';

/** How deep arrays and objects of a body may be nested. */
const maxDepth = 64;

/**
 * The value of a JSON body; undefined where the body is empty.
 * @throws Problem 400 where it is not JSON, saying where; 422 where it has a `__proto__` field or is nested too deep
 */
export function parseJsonBody(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw malformedJson('the body is not valid UTF-8');
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformedJson(`the body is not valid JSON: ${describeError(text)}`);
  }
  checkStructure(value, '', 1);
  return value;
}

/** The parser's own message quotes the body, which may hold personal data. */
function describeError(text: string): string {
  const offset = findJsonError(text);
  if (offset >= text.length) return 'it ends too early';
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}

/** `__proto__` would change an object's prototype when it is copied by assignment; recursive code needs a depth limit. */
function checkStructure(value: unknown, path: string, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > maxDepth) throw invalid([{ path: '', message: `is nested deeper than ${maxDepth} levels` }]);
  const isArray = Array.isArray(value);
  for (const key in value) {
    const child = (value as Record<string, unknown>)[key];
    if (key === '__proto__') throw invalid([{ path: path + key, message: 'is not a known field' }]);
    if (typeof child !== 'object' || child === null) continue;
    checkStructure(child, isArray ? `${path.slice(0, -1)}[${key}].` : `${path}${key}.`, depth + 1);
  }
}
