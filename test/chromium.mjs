/** Finds the Chromium that the specs of the console drive. Where there is none, those specs say that they were not run. */
import { existsSync } from 'node:fs';
import { provide } from './debian.mjs';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

process.env.CHROMIUM ??=
  provide({
    name: 'Chromium',
    purpose: 'the specs of the console',
    find: () => places.find((path) => existsSync(path)),
    packages: 'chromium',
    folders: ['browser'],
  }) ?? '';
