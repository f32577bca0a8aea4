import { ApiClient } from './api-client.js';
import { parseArguments } from './arguments.js';
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

async function run([name, ...args]: readonly string[]): Promise<ExitCode> {
  if (name === '--help' || name === '-h') return print(generalHelp());
  if (name === '--version') return print(version());
  if (name === undefined) throw usageError('which command? tidings --help lists them');
  if (name.startsWith('-')) throw usageError('the command comes first: tidings <command> [options]');
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw usageError(`there is no command ${name}; tidings --help lists them`);
  const parsed = parseArguments(args, { ...command.options, ...commonOptionsOf(command) }, command.positionals);
  if (parsed.flag('help')) return print(commandHelp(name, command));
  const output = new Output(parsed.flag('json'), process.stdout, process.stderr);
  if (command.local) return command.run({ args: parsed, output });
  const api = new ApiClient(parsed.text('url') ?? (process.env['TIDINGS_URL'] || defaultUrl));
  return command.run({ api, args: parsed, output });
}

function print(text: string): ExitCode {
  process.stdout.write(`${text}\n`);
  return exitCodes.ok;
}
