import { apiOptions, localOptions, type OptionSpecs } from './arguments.js';
import type { Command } from './command.js';
import { commands } from './commands/index.js';
import { meanings } from './exit-codes.js';

/** What `tidings --help` prints. */
export function generalHelp(): string {
  return [
    'Usage: tidings <command> [options]',
    '',
    'Talks to a running Tidings server over its HTTP API. What backs up, restores, copies or migrates works on files and',
    'stores instead, as do erasures and keys.',
    '',
    'Commands:',
    ...list(Object.entries(commands).map(([name, { summary }]) => [name, summary])),
    '',
    'Options of every command that talks to a server:',
    ...options(apiOptions),
    '',
    'tidings <command> --help tells more, tidings --version the version.',
    '',
    'Exit codes:',
    ...list(Object.entries(meanings)),
  ].join('\n');
}

/** The options that a command takes beside its own. */
export function commonOptionsOf({ local }: Command): OptionSpecs {
  return local ? localOptions : apiOptions;
}

export function commandHelp(name: string, command: Command): string {
  const { summary, positionals, options: own } = command;
  const usage = [name, ...positionals, '[options]'].join(' ');
  const ownOptions = Object.keys(own).length === 0 ? [] : ['', 'Options:', ...options(own)];
  return [
    `Usage: tidings ${usage}`,
    '',
    `${summary[0]!.toUpperCase()}${summary.slice(1)}.`,
    ...ownOptions,
    '',
    'Options of every command:',
    ...options(commonOptionsOf(command)),
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
