import { parseArgs } from 'node:util';
import { usageError } from './exit-codes.js';

/** An option of a command. */
export interface OptionSpec {
  /** What stands for its value in the help; an option without one is a flag. */
  readonly value?: string;
  readonly help: string;
  readonly multiple?: true;
  /** The value where the option is given without one. */
  readonly bare?: string;
  readonly short?: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** The options of every command on files. */
export const localOptions: OptionSpecs = {
  json: { help: 'the result as JSON, for programs' },
  help: { help: 'show this text', short: 'h' },
};

/** The options of every command that asks a server. */
export const apiOptions: OptionSpecs = {
  url: { value: '<url>', help: 'where the server is; else TIDINGS_URL, else http://127.0.0.1:3000' },
  'key-file': { value: '<file>', help: 'file with the API key, where the server asks for one; else TIDINGS_API_KEY' },
  ...localOptions,
  json: { help: "the API's answer as it is, for programs" },
};

/** What a command was given. */
export class Arguments {
  constructor(
    readonly positionals: readonly string[],
    private readonly values: Readonly<Record<string, unknown>>,
  ) {}

  flag(name: string): boolean {
    return this.values[name] === true;
  }

  text(name: string): string | undefined {
    return this.values[name] as string | undefined;
  }

  texts(name: string): readonly string[] {
    return (this.values[name] as readonly string[] | undefined) ?? [];
  }

  /** @throws CommandFailed */
  required(name: string): string {
    const text = this.text(name);
    if (text === undefined) throw usageError(`--${name} is required`);
    return text;
  }

  /** @throws CommandFailed */
  seconds(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!/^\d{1,5}(\.\d{1,3})?$/.test(text)) throw usageError(`--${name} must be seconds from 0 to 99999`);
    return Number(text);
  }
}

/**
 * @param positionals the names of those that the command takes; `[id]` may be left out, `[id…]` may come any number of times
 * @throws CommandFailed
 */
export function parseArguments(args: readonly string[], specs: OptionSpecs, positionals: readonly string[]): Arguments {
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { value, multiple, short }]) => [
      name,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        multiple: multiple ?? false,
        ...(short !== undefined && { short }),
      },
    ]),
  );
  let parsed;
  try {
    parsed = parseArgs({ args: withBareValues(args, specs), options, allowPositionals: true, strict: true });
  } catch (error) {
    // Only the first sentence is about what is wrong.
    throw usageError((error as Error).message.split(/\. |\n/)[0]!);
  }
  const result = new Arguments(parsed.positionals, parsed.values);
  if (!result.flag('help')) checkPositionals(parsed.positionals, positionals);
  return result;
}

/** `--wait` and `--wait 30` as `--wait=…`: the parser knows no option whose value may be left out. */
function withBareValues(args: readonly string[], specs: OptionSpecs): string[] {
  const result: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index]!;
    if (arg === '--') return [...result, ...args.slice(index)];
    const bare = arg.startsWith('--') ? specs[arg.slice(2)]?.bare : undefined;
    if (bare === undefined) {
      result.push(arg);
    } else if (/^\d/.test(args[index + 1] ?? '') && !Number.isNaN(Number(args[index + 1]))) {
      result.push(`${arg}=${args[index + 1]}`);
      index += 1;
    } else {
      result.push(`${arg}=${bare}`);
    }
  }
  return result;
}

function checkPositionals(given: readonly string[], names: readonly string[]): void {
  const isOpen = names.at(-1)?.endsWith('…]') ?? false;
  const missing = names.filter((name) => !name.startsWith('['))[given.length];
  if (missing !== undefined) throw usageError(`${missing} is missing`);
  if (!isOpen && given.length > names.length) throw usageError(`unexpected argument ${given[names.length]}`);
}
