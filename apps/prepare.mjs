/**
 * Brings a checkout to the state its sources describe: dependencies installed, `dist/` compiled, the console built into
 * `apps/console/dist/`. Plain JavaScript without dependencies, because it runs before anything is installed. It writes to stderr only, so that the stdout of
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
const consoleFolder = 'apps/console';

/**
 * Installs, compiles and builds what is missing or out of date; does nothing when all is up to date. Where a step fails or is
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
  await buildConsole();
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
  const sources = ['apps', 'libs', 'test', 'bench', 'docs'].flatMap(filesIn).filter((path) => /\.tsx?$/.test(path));
  const settings = readdirSync(root).filter((name) => /^(tsconfig.*|package|package-lock)\.json$|\.ts$/.test(name));
  const compiled = [...settings, ...sources.filter((path) => !path.startsWith(`${consoleFolder}/`))];
  await onceFor(compiled, `dist/.built.${project}`, `compiling (tsc -p ${project})`, [
    'node_modules/typescript/bin/tsc',
    '-p',
    project,
  ]);
}

async function buildConsole() {
  const sources = filesIn(consoleFolder).filter((path) => !path.startsWith(`${consoleFolder}/dist/`));
  await onceFor(
    [...sources, 'package-lock.json'],
    `${consoleFolder}/dist/.built`,
    'building the console (vite build)',
    ['node_modules/vite/bin/vite.js', 'build', consoleFolder, '--logLevel', 'warn'],
  );
}

/** Runs a step unless it was done with these files as they are: then the stamp says so. */
async function onceFor(paths, stamp, name, command) {
  const state = fingerprint(paths);
  if (existsSync(inRoot(stamp)) && readFileSync(inRoot(stamp), 'utf8') === state) return;
  say(name);
  await run(process.execPath, command);
  writeFileSync(inRoot(stamp), state);
}

/** Changes whenever one of the files does. */
function fingerprint(paths) {
  const hash = createHash('sha256');
  for (const path of [...paths].sort()) {
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
  const forward = (signal) => child.kill(signal);
  // Before the step begins: a signal that came in between would end this process and leave the step running.
  process.on('SIGINT', forward).on('SIGTERM', forward);
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  const [code, signal] = await once(child, 'exit');
  process.off('SIGINT', forward).off('SIGTERM', forward);
  if (signal !== null) process.exit(128 + constants.signals[signal]);
  if (code !== 0) process.exit(code);
}

function say(text) {
  process.stderr.write(`tidings: ${text}\n`);
}
