/**
 * `npm run demo`: installs and compiles what is missing, then becomes the demonstration. It runs in this very process, so
 * that arguments, signals and exit codes are its own; what is prepared is said on stderr.
 */
import { prepare } from '../prepare.mjs';

await prepare('tsconfig.build.json');

process.setSourceMapsEnabled(true);
await import(new URL('../../dist/apps/demo/main.js', import.meta.url).href);
