import { fileURLToPath } from 'node:url';
import { Program, type EndedProcess } from '../support/index.js';

const program = fileURLToPath(new URL('../../apps/cli/main.js', import.meta.url));

/** Runs the built command line until it ends. */
export function tidings(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<EndedProcess> {
  return new Program(process.execPath, [program, ...args], { env }).ended();
}

/** The cells of a table's lines, the heads left out. */
export function rowsOf(stdout: string): string[][] {
  const [, ...lines] = stdout.trimEnd().split('\n');
  return lines.map((line) => line.split(/ {2,}/));
}
