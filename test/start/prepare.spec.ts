import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/index.js';
import { miniatureCheckout, type Miniature } from './miniature.js';

const installing = ['tidings: installing dependencies (npm ci)', 'npm ci --include=dev --no-audit --no-fund'];
const compiling = ['tidings: compiling (tsc -p tsconfig.build.json)', 'tsc -p tsconfig.build.json'];

const building = ['tidings: building the console (vite build)', 'vite build apps/console --logLevel warn'];

let checkout: Miniature;

beforeEach(async () => {
  checkout = await miniatureCheckout();
  await lock({ left: '1.0.0' });
});

afterEach(async () => {
  await checkout.remove();
});

/** Writes the lockfile. */
async function lock(versions: Readonly<Record<string, string>>, more: Readonly<Record<string, unknown>> = {}) {
  const packages = Object.entries(versions).map(([name, version]) => [`node_modules/${name}`, { version }]);
  const lockfile = { packages: { '': { name: 'tidings' }, ...Object.fromEntries(packages), ...more } };
  await checkout.write('package-lock.json', JSON.stringify(lockfile));
}

/** What is done before the server is there, line by line. @throws where the server does not come to run */
async function steps(): Promise<string[]> {
  const { code, stdout, stderr } = await checkout.start().ended();
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'server\n' });
  return stderr.split('\n').slice(0, -1);
}

test('a fresh checkout is installed, compiled and started, with the arguments given', async () => {
  const { code, stdout, stderr } = await checkout.start(['--help']).ended();
  expect(code).toBe(0);
  expect(stdout).toBe('server --help\n');
  expect(stderr).toBe([...installing, ...compiling, ...building, ''].join('\n'));
});

describe('started before', () => {
  beforeEach(async () => {
    await steps();
  });

  test('nothing is done again', async () => {
    expect(await steps()).toEqual([]);
  });

  test.each([
    ['a package of another version', () => lock({ left: '1.0.1' })],
    ['a package that is missing', () => lock({ left: '1.0.0', right: '1.0.0' })],
  ])('%s is installed, and everything compiled with it', async (_, change) => {
    await change();
    expect(await steps()).toEqual([...installing, ...compiling, ...building]);
    expect(await steps()).toEqual([]);
  });

  test('an install that was cut short is done again', async () => {
    await checkout.delete('node_modules/.package-lock.json');
    expect(await steps()).toEqual(installing);
  });

  test('a package for other platforms need not be there', async () => {
    await lock({ left: '1.0.0' }, { 'node_modules/other-platform': { version: '1.0.0', optional: true } });
    expect(await steps()).toEqual([...compiling, ...building]);
  });

  test.each([
    ['a source that changed', 'apps/server/main.ts'],
    ['a new source', 'libs/kernel/new.ts'],
    ['a setting of the compiler', 'tsconfig.json'],
  ])('%s is compiled', async (_, path) => {
    await checkout.write(path, 'changed');
    expect(await steps()).toEqual(compiling);
    expect(await steps()).toEqual([]);
  });

  test.each([
    ['a source of the console', 'apps/console/main.tsx'],
    ['a style of the console', 'apps/console/console.css'],
  ])('%s that changed is built, and nothing else', async (_, path) => {
    await checkout.write(path, 'changed');
    expect(await steps()).toEqual(building);
    expect(await steps()).toEqual([]);
  });

  test('what compiled to nothing that is there any more is removed, and all compiled anew', async () => {
    await checkout.write('dist/libs/kernel/gone.js', '');
    await checkout.write('dist/libs/kernel/gone.js.map', '');
    await checkout.write('dist/.tsbuildinfo', 'knows of gone.js');
    expect(await steps()).toEqual(compiling);
    expect(await checkout.read('dist/.tsbuildinfo')).toBe('');
    await expect(checkout.read('dist/libs/kernel/gone.js')).rejects.toThrow('ENOENT');
    await expect(checkout.read('dist/libs/kernel/gone.js.map')).rejects.toThrow('ENOENT');
  });
});

test('an install that fails ends it with the exit code of npm, and the next start tries again', async () => {
  const { code, stdout, stderr } = await checkout.start([], { NPM_FAILS: 'yes' }).ended();
  expect({ code, stdout }).toEqual({ code: 7, stdout: '' });
  expect(stderr).toBe([...installing, ''].join('\n'));
  expect(await steps()).toEqual([...installing, ...compiling, ...building]);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends it while it compiles, and the next start compiles', async (signal, exitCode) => {
  const interrupted = checkout.start([], { TSC_WAITS: 'yes' });
  await eventually(async () => (/^tsc /m.test(interrupted.stderr) ? true : undefined));
  interrupted.process.kill(signal);
  expect(await interrupted.ended()).toMatchObject({ code: exitCode, stdout: '' });
  expect(await steps()).toEqual([...compiling, ...building]);
});
