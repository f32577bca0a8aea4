/** Programs that specs need and npm does not bring: installed where that can be done without asking, as root on Debian. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/**
 * @param find answers what it has found, or undefined
 * @param packages of Debian
 * @param folders specs whose path holds one of them need it
 * @returns what was found, in the end
 */
export function provide({ name, purpose, find, packages, folders }) {
  const found = find();
  if (found !== undefined || !isWanted(folders)) return found;
  const command = `apt-get install --yes --no-install-recommends ${packages}`;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    say(`there is no ${name} for ${purpose}; on Debian: ${command}`);
    return undefined;
  }
  say(`installing ${name} for ${purpose} (${command})`);
  ['apt-get update', command].every(succeeds);
  return find();
}

/** Not for a run of other specs, named on the command line. */
function isWanted(folders) {
  const args = process.argv.slice(2);
  const paths = args.filter((arg) => !arg.startsWith('-'));
  if (args.includes('--listTests')) return false;
  return paths.length === 0 || paths.some((path) => folders.some((folder) => path.includes(folder)));
}

function succeeds(command) {
  const [program, ...args] = command.split(' ');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync(program, args, { stdio: ['ignore', 2, 2], env }).status === 0;
}

function say(text) {
  process.stderr.write(`tidings: ${text}\n`);
}
