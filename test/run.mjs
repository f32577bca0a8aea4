/** `npm test`: installs, compiles and builds what is missing, then becomes Jest, which runs the compiled specs. */
import { fileURLToPath } from 'node:url';
import { prepare } from '../apps/prepare.mjs';
import './not-run.mjs';

await prepare('tsconfig.json');
await import('./chromium.mjs');
await import('./redis.mjs');

const jest = new URL('../node_modules/jest/bin/jest.js', import.meta.url);
process.argv[1] = fileURLToPath(jest);
await import(jest.href);
