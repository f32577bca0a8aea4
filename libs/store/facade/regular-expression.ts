import { createContext, Script } from 'node:vm';
import { messageOf } from '#libs/kernel';
import { invalidArgument } from './errors.js';
import { dangerOf } from './expression-danger.js';

/** Says for each text whether it matches. @throws CallFailed when that takes too long */
export type Matcher = (texts: readonly string[]) => readonly boolean[];

interface Limits {
  readonly length: number;
  /** Milliseconds. */
  readonly time: number;
}

/**
 * A client's regular expression. JavaScript's engine goes back and tries again, so expressions that can make it do
 * that for long are refused, and what remains is stopped when its time is over.
 *
 * @throws CallFailed
 */
export function matcherOf(source: string, limits: Limits): Matcher {
  if (source.length > limits.length) {
    throw invalidArgument(`the regular expression is longer than ${limits.length} characters`);
  }
  const danger = dangerOf(source);
  if (danger !== undefined) throw invalidArgument(`the regular expression has ${danger}, which is not supported`);
  let expression: RegExp;
  try {
    expression = new RegExp(source, 'u');
  } catch (error) {
    throw invalidArgument(messageOf(error));
  }
  return (texts) =>
    texts.length === 0 ? [] : withinTime(() => texts.map((text) => expression.test(text)), limits.time);
}

const script = new Script('run()');
const context: { run?: () => unknown } = createContext({});

/** V8 stops code that runs too long, also within a regular expression, only when it was started as a script. */
function withinTime<Result>(run: () => Result, time: number): Result {
  try {
    context.run = run;
    return script.runInContext(context, { timeout: time }) as Result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw invalidArgument('the regular expression takes too long');
  } finally {
    delete context.run;
  }
}
