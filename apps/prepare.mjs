/**
 * Brings a checkout to the state its sources describe: dependencies installed, `dist/` compiled. Plain JavaScript
 * without dependencies, because it runs before anything is installed. It writes to stderr only, so that the stdout of
 * what runs next stays clean.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const inRoot = (path) => join(root, path);

/**
 * Installs and compiles what is missing or out of date; does nothing when all is up to date. Where a step fails or is
 * interrupted, the process ends with that step's exit code.
 *
 * @param project the TypeScript project to compile: `tsconfig.build.json` (the product) or `tsconfig.json` (everything)
 */
export async function prepare(project) {
  requireNode(20, 19);
  if (!isInstalled()) {
    say('installing dependencies (npm ci)');
    await npm('ci', '--include=dev', '--no-audit', '--no-fund');
  }
  removeStaleOutput();
  await compile(project);
}

function requireNode(major, minor) {
  const [runningMajor, runningMinor] = process.versions.node.split('.').map(Number);
  if (runningMajor > major || (runningMajor === major && runningMinor >= minor)) return;
  say(`Node.js ${major}.${minor} or newer is needed, this is ${process.versions.node}`);
  process.exit(1);
}

/** npm writes `node_modules/.package-lock.json` last, so an install that was cut short does not pass for complete. */
function isInstalled() {
  const present = lockedPackages('node_modules/.package-lock.json');
  return Object.entries(lockedPackages('package-lock.json')).every(
    ([path, { version, optional }]) => path === '' || optional || present[path]?.version === version,
  );
}

function lockedPackages(lockfile) {
  return existsSync(inRoot(lockfile)) ? JSON.parse(readFileSync(inRoot(lockfile), 'utf8')).packages : {};
}

async function npm(...args) {
  const cli = process.env.npm_execpath ?? '';
  if (basename(cli) === 'npm-cli.js') await run(process.execPath, [cli, ...args]);
  else await run('npm', args, { shell: process.platform === 'win32' });
}

/**
 * Removes compiled files whose source is gone, such as the spec of a deleted module. tsc takes what its build info
 * lists for emitted and would not write a removed file again when its source returns, so the build info goes as well.
 */
function removeStaleOutput() {
  const stale = filesIn('dist').filter((path) => /\.js(\.map)?$/.test(path) && !sourceExists(path));
  if (stale.length === 0) return;
  for (const path of stale) rmSync(inRoot(path));
  for (const name of readdirSync(inRoot('dist')))
    if (/^\.(tsbuildinfo|built)/.test(name)) rmSync(inRoot(`dist/${name}`));
}

function sourceExists(output) {
  const source = output.slice('dist/'.length).replace(/\.js(\.map)?$/, '');
  return existsSync(inRoot(`${source}.ts`)) || existsSync(inRoot(`${source}.tsx`));
}

async function compile(project) {
  const stamp = inRoot(`dist/.built.${project}`);
  const sources = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return;
  say(`compiling (tsc -p ${project})`);
  await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project]);
  writeFileSync(stamp, sources);
}

/** Changes whenever a source, a setting of the compiler or a dependency does. */
function fingerprint() {
  const hash = createHash('sha256');
  const settings = readdirSync(root).filter((name) => /^(tsconfig.*|package|package-lock)\.json$|\.ts$/.test(name));
  const sources = ['apps', 'libs', 'test', 'bench'].flatMap(filesIn).filter((path) => /\.tsx?$/.test(path));
  for (const path of [...settings, ...sources].sort()) {
    const { size, mtimeMs } = statSync(inRoot(path));
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** The files under a folder of the checkout, as paths from its root with forward slashes. */
function filesIn(folder) {
  if (!existsSync(inRoot(folder))) return [];
  return readdirSync(inRoot(folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesIn(path);
    return [path];
  });
}

async function run(command, args, options = {}) {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  const forward = (signal) => child.kill(signal);
  process.on('SIGINT', forward).on('SIGTERM', forward);
  const [code, signal] = await once(child, 'exit');
  process.off('SIGINT', forward).off('SIGTERM', forward);
  if (signal !== null) process.exit(128 + constants.signals[signal]);
  if (code !== 0) process.exit(code);
}

function say(text) {
  process.stderr.write(`tidings: ${text}\n`);
}
