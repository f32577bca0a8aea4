import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, parseEnv } from 'node:util';
import { version } from '../version.js';
import { contradictions } from './contradictions.js';
import { helpText } from './documentation.js';
import { Malformed } from './parse.js';
import { namesOfOthers, settingsTable, type Setting, type Settings } from './table.js';

/** Exit code of a start that the settings stopped: EX_CONFIG of sysexits.h. */
export const configurationError = 78;

export type SettingsReading =
  | { readonly settings: Settings }
  /** What `--help` or `--version` prints. */
  | { readonly output: string }
  /** One line that says what has to be put right. It holds no secret. */
  | { readonly error: string };

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The settings from the environment, over those of the `.env` file in `cwd`. An empty variable is one that is not set.
 *
 * @param args the command line's arguments, without node and the script
 */
export function readSettings(env: Variables, args: readonly string[], cwd: string): SettingsReading {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } },
    });
    if (values.help) return { output: helpText() };
    if (values.version) return { output: version() };
  } catch {
    return {
      error: 'unknown argument: the server takes --help and --version; everything else is set by the environment',
    };
  }
  const file = readEnvFile(cwd);
  if ('error' in file) return file;
  const set = (variables: Variables): [string, string | undefined][] =>
    Object.entries(variables).filter(([, value]) => value !== '');
  return parseSettings(Object.fromEntries([...set(file.variables), ...set(env)]), cwd);
}

function parseSettings(variables: Variables, cwd: string): SettingsReading {
  const errors = unknownNames(variables);
  const settings: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries<Setting<unknown>>(settingsTable)) {
    const text = variables[setting.name] ?? setting.default;
    try {
      settings[key] = text === undefined ? undefined : setting.parse(text, cwd);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      const shown = setting.secret ? '' : ` (it is ${JSON.stringify(text!.slice(0, 100))})`;
      errors.push(`${setting.name} ${error.message}${shown}`);
    }
  }
  const parsed = settings as unknown as Settings;
  if (errors.length === 0) errors.push(...contradictions(parsed));
  return errors.length > 0 ? { error: errors.join('; ') } : { settings: parsed };
}

function readEnvFile(cwd: string): { variables: Variables } | { error: string } {
  try {
    return { variables: parseEnv(readFileSync(join(cwd, '.env'), 'utf8')) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? { variables: {} } : { error: `the .env file cannot be read (${code})` };
  }
}

function unknownNames(variables: Variables): string[] {
  const known = Object.values(settingsTable).map(({ name }) => name);
  return Object.keys(variables)
    .filter((name) => /^tidings_/i.test(name) && !known.includes(name) && !namesOfOthers.includes(name))
    .sort()
    .map((name) => {
      const nearest = closest(name.toUpperCase(), known);
      return `${name} is not a setting${nearest === undefined ? '' : `: did you mean ${nearest}?`}`;
    });
}

/** The name that the fewest edits lead to; undefined where that would be too many to be a slip. */
function closest(name: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((candidate) => ({ candidate, edits: editDistance(name, candidate) }))
    .sort((a, b) => a.edits - b.edits);
  return best !== undefined && best.edits <= 2 ? best.candidate : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
