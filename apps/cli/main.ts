import { ApiClient } from './api-client.js';
import { parseArguments, type Arguments } from './arguments.js';
import { readBytes } from './commands/attachments.js';
import { commands } from './commands/index.js';
import { CommandFailed, exitCodes, usageError, type ExitCode } from './exit-codes.js';
import { commandHelp, commonOptionsOf, generalHelp } from './help.js';
import { Output } from './output/output.js';
import { shown } from './output/text.js';
import { version } from './version.js';

const defaultUrl = 'http://127.0.0.1:3000';

// Whoever reads the output may have seen enough, such as `head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CommandFailed)) throw error;
  process.stderr.write(`tidings: ${shown(error.message)}\n`);
  process.exitCode = error.exitCode;
}

async function run([first, ...rest]: readonly string[]): Promise<ExitCode> {
  if (first === '--help' || first === '-h') return print(generalHelp());
  if (first === '--version') return print(version());
  if (first === undefined) throw usageError('which command? tidings --help lists them');
  if (first.startsWith('-')) throw usageError('the command comes first: tidings <command> [options]');
  const { name, args } = named(first, rest);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw usageError(`there is no command ${name}; tidings --help lists them`);
  const parsed = parseArguments(args, { ...command.options, ...commonOptionsOf(command) }, command.positionals);
  if (parsed.flag('help')) return print(commandHelp(name, command));
  const output = new Output(parsed.flag('json'), process.stdout, process.stderr);
  if (command.local) return command.run({ args: parsed, output });
  const api = new ApiClient(parsed.text('url') ?? (process.env['TIDINGS_URL'] || defaultUrl), await apiKeyOf(parsed));
  return command.run({ api, args: parsed, output });
}

/** Some commands have names of two words. */
function named(first: string, rest: readonly string[]): { readonly name: string; readonly args: readonly string[] } {
  const longer = Object.keys(commands).filter((name) => name.startsWith(`${first} `));
  if (longer.length === 0) return { name: first, args: rest };
  const name = `${first} ${rest[0] ?? ''}`;
  if (!longer.includes(name)) throw usageError(`which of ${longer.join(', ')}? tidings --help tells more`);
  return { name, args: rest.slice(1) };
}

/** Never from an argument: others on this machine can see those. */
async function apiKeyOf(args: Arguments): Promise<string | undefined> {
  const file = args.text('key-file');
  const key = file === undefined ? process.env['TIDINGS_API_KEY'] : (await readBytes(file)).toString('utf8').trim();
  return key || undefined;
}

function print(text: string): ExitCode {
  process.stdout.write(`${text}\n`);
  return exitCodes.ok;
}
