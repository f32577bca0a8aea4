/**
 * Finds the Chromium that the specs of the console drive, and installs it where that can be done without asking: as root
 * on Debian and its like. Where there is none, those specs say that they were not run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const command = 'apt-get install --yes --no-install-recommends chromium';

process.env.CHROMIUM ??= find() ?? (isWanted() && install() ? find() : undefined) ?? '';

function find() {
  return places.find((path) => existsSync(path));
}

/** Not for a run of other specs, named on the command line. */
function isWanted() {
  const args = process.argv.slice(2);
  const paths = args.filter((arg) => !arg.startsWith('-'));
  return !args.includes('--listTests') && (paths.length === 0 || paths.some((path) => path.includes('browser')));
}

function install() {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    say(`there is no Chromium for the specs of the console; on Debian: ${command}`);
    return false;
  }
  say(`installing Chromium for the specs of the console (${command})`);
  return ['apt-get update', command].every((step) => {
    const [program, ...args] = step.split(' ');
    const { status } = spawnSync(program, args, {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    return status === 0;
  });
}

function say(text) {
  process.stderr.write(`tidings: ${text}\n`);
}
