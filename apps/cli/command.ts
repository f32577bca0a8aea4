import type { Arguments, OptionSpecs } from './arguments.js';
import type { ApiClient } from './api-client.js';
import type { ExitCode } from './exit-codes.js';
import type { Output } from './output/output.js';

/** What a command on files has. */
export interface LocalContext {
  readonly args: Arguments;
  readonly output: Output;
}

export interface Context extends LocalContext {
  readonly api: ApiClient;
}

interface Described {
  readonly summary: string;
  /** As the help shows them: `<id>`, `[id…]`. */
  readonly positionals: readonly string[];
  readonly options: OptionSpecs;
}

/** A command that asks a server. */
export interface ApiCommand extends Described {
  readonly local?: never;
  run(context: Context): Promise<ExitCode>;
}

/** A command that works on files of this machine, and asks no server. */
export interface LocalCommand extends Described {
  readonly local: true;
  run(context: LocalContext): Promise<ExitCode>;
}

/** One command of the command line. */
export type Command = ApiCommand | LocalCommand;
