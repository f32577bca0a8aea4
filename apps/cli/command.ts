import type { Arguments, OptionSpecs } from './arguments.js';
import type { ApiClient } from './api-client.js';
import type { ExitCode } from './exit-codes.js';
import type { Output } from './output/output.js';

export interface Context {
  readonly api: ApiClient;
  readonly args: Arguments;
  readonly output: Output;
}

/** One command of the command line. */
export interface Command {
  readonly summary: string;
  /** As the help shows them: `<id>`, `[id…]`. */
  readonly positionals: readonly string[];
  readonly options: OptionSpecs;
  run(context: Context): Promise<ExitCode>;
}
