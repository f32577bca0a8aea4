import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Program, temporaryFolder } from '../support/index.js';

// Three folders up from dist/test/start.
const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Installs what the lockfile says, as far as prepare.mjs looks at it. */
const npm = `
import { cpSync, mkdirSync } from 'node:fs';
console.log('npm', ...process.argv.slice(2));
if (process.env.NPM_FAILS) process.exit(7);
mkdirSync('node_modules/typescript/bin', { recursive: true });
mkdirSync('node_modules/vite/bin', { recursive: true });
cpSync('package-lock.json', 'node_modules/.package-lock.json');
cpSync('tsc.mjs', 'node_modules/typescript/bin/tsc');
cpSync('vite.mjs', 'node_modules/vite/bin/vite.js');
`;

const tsc = `
import { mkdirSync, writeFileSync } from 'node:fs';
console.log('tsc', ...process.argv.slice(2));
if (process.env.TSC_WAITS) await new Promise((resolve) => setTimeout(resolve, 20_000));
mkdirSync('dist/apps/server', { recursive: true });
writeFileSync('dist/.tsbuildinfo', '');
writeFileSync('dist/apps/server/main.js', "console.log('server', ...process.argv.slice(2));");
`;

const vite = `
import { mkdirSync } from 'node:fs';
console.log('vite', ...process.argv.slice(2));
mkdirSync('apps/console/dist', { recursive: true });
`;

export interface Miniature {
  /** Runs apps/start.mjs. What npm, tsc and vite are asked stands in stderr, what the server is told in stdout. */
  start(args?: readonly string[], env?: Readonly<Record<string, string>>): Program;
  read(path: string): Promise<string>;
  write(path: string, text: string): Promise<void>;
  delete(path: string): Promise<void>;
  remove(): Promise<void>;
}

/** A checkout with the real apps/start.mjs, and with an npm, compilers and a server that only say what they are told. */
export async function miniatureCheckout(): Promise<Miniature> {
  const { path, remove } = await temporaryFolder();
  const at = (name: string) => join(path, name);
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(dirname(at(name)), { recursive: true });
    await writeFile(at(name), text);
  };
  await write('package.json', '{ "type": "module" }');
  await write('npm-cli.js', npm);
  await write('tsc.mjs', tsc);
  await write('vite.mjs', vite);
  await write('apps/server/main.ts', '');
  await write('apps/console/main.tsx', '');
  for (const name of ['apps/start.mjs', 'apps/prepare.mjs']) await cp(join(root, name), at(name));
  return {
    start: (args = [], env = {}) =>
      new Program(process.execPath, [at('apps/start.mjs'), ...args], {
        cwd: path,
        env: { npm_execpath: at('npm-cli.js'), ...env },
      }),
    read: (name) => readFile(at(name), 'utf8'),
    write,
    delete: (name) => rm(at(name)),
    remove,
  };
}
