import { readFileSync } from 'node:fs';
import { usageError } from './exit-codes.js';

const fromEnvironment = 'env:';

/**
 * What an option names a place by: as it is, or, for `env:NAME`, what stands in the environment. Where others may read the
 * command line, a password stands there.
 * @throws CommandFailed
 */
export function placeOf(option: string, text: string): string {
  if (!text.startsWith(fromEnvironment)) return text;
  const name = text.slice(fromEnvironment.length);
  const value = process.env[name];
  if (value === undefined || value === '') throw usageError(`--${option}: the variable ${name} is not set`);
  return value;
}

/** @throws CommandFailed */
export function certificatesIn(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw usageError(`the file of certificates ${file} cannot be read`);
  }
}

/** A URL of an option, read. @throws CommandFailed where it is malformed */
export function urlOf<Url>(
  option: string,
  text: string,
  parse: (text: string) => Url,
  Malformed: new (...args: never[]) => Error,
): Url {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw usageError(`--${option} ${error.message}`);
  }
}
