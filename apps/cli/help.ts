import { commonOptions, type OptionSpecs } from './arguments.js';
import type { Command } from './command.js';
import { commands } from './commands/index.js';
import { meanings } from './exit-codes.js';

/** What `tidings --help` prints. */
export function generalHelp(): string {
  return [
    'Usage: tidings <command> [options]',
    '',
    'Talks to a running Tidings server over its HTTP API.',
    '',
    'Commands:',
    ...list(Object.entries(commands).map(([name, { summary }]) => [name, summary])),
    '',
    'Options of every command:',
    ...options(commonOptions),
    '',
    'tidings <command> --help tells more, tidings --version the version.',
    '',
    'Exit codes:',
    ...list(Object.entries(meanings)),
  ].join('\n');
}

export function commandHelp(name: string, { summary, positionals, options: own }: Command): string {
  const usage = [name, ...positionals, '[options]'].join(' ');
  const ownOptions = Object.keys(own).length === 0 ? [] : ['', 'Options:', ...options(own)];
  return [
    `Usage: tidings ${usage}`,
    '',
    `${summary[0]!.toUpperCase()}${summary.slice(1)}.`,
    ...ownOptions,
    '',
    'Options of every command:',
    ...options(commonOptions),
  ].join('\n');
}

function options(specs: OptionSpecs): string[] {
  return list(
    Object.entries(specs).map(([name, { short, value, help }]) => [
      [short === undefined ? '' : `-${short}, `, `--${name}`, value === undefined ? '' : ` ${value}`].join(''),
      help,
    ]),
  );
}

function list(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
