/** Redis and its sentinels, for the specs of shared keys. Where there is none, those specs say that they were not run. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { provide } from './debian.mjs';

const programs = ['redis-server', 'redis-sentinel'];
const folders = (process.env.PATH ?? '').split(delimiter);

provide({
  name: 'Redis',
  purpose: 'the specs of shared keys',
  find: () => (programs.every((name) => folders.some((folder) => existsSync(join(folder, name)))) ? true : undefined),
  packages: 'redis-server redis-sentinel',
  folders: ['redis', 'vault', 'shared'],
});
