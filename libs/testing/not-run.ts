import { appendFileSync } from 'node:fs';
import { test } from '@jest/globals';

/**
 * Says that a test is not there on this machine, in place of a test that silently is not: a line
 * `not run: <what>, because <why>`, which `npm test` shows at its end.
 */
export function notRun(what: string, why: string): void {
  const line = `not run: ${what}, because ${why}\n`;
  const list = process.env.TESTS_NOT_RUN;
  if (list === undefined) process.stderr.write(line);
  else appendFileSync(list, line);
}

/** The same of a whole spec: one without a test would count as failed. */
export function specNotRun(what: string, why: string): void {
  notRun(what, why);
  test.todo(`${what}: not run, because ${why}`);
}
