import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Program, temporaryFolder } from '../support/index.js';

// Three folders up from dist/test/start.
const root = fileURLToPath(new URL('../../../', import.meta.url));
const sources = [
  ...['apps', 'libs', 'test', 'bench', 'streams.config.ts'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'],
];

export interface Checkout {
  /**
   * Runs npm there, in a process group of its own and in an environment that is this one's no further than finding
   * Node.js and the settings of npm needs.
   */
  npm(args: readonly string[], env?: Readonly<Record<string, string>>): Program;
  remove(): Promise<void>;
}

/** A copy of this checkout with what `npm ci` installs, but without anything compiled. */
export async function copyCheckout(): Promise<Checkout> {
  const { path, remove } = await temporaryFolder();
  await Promise.all(sources.map((name) => cp(join(root, name), join(path, name), { recursive: true })));
  await copyPackages(join(root, 'node_modules'), join(path, 'node_modules'));
  return {
    npm: (args, env) =>
      new Program('npm', args, {
        cwd: path,
        detached: true,
        env: {
          PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
          HOME: process.env.HOME ?? path,
          npm_config_update_notifier: 'false',
          ...env,
        },
      }),
    remove,
  };
}

/** By hard links where cp and the file system have them, which takes a tenth of the time; the packages stay as they are. */
async function copyPackages(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-al', from, to]).catch(() =>
    cp(from, to, { recursive: true, verbatimSymlinks: true }),
  );
}
