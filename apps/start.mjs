/**
 * `npm start`: installs and compiles what is missing, then becomes the server. The server runs in this very process, so
 * that arguments, signals and exit codes are its own.
 */
import { fileURLToPath } from 'node:url';
import { prepare } from './prepare.mjs';

await prepare('tsconfig.build.json');

const server = new URL('../dist/apps/server/main.js', import.meta.url);
process.setSourceMapsEnabled(true);
process.argv[1] = fileURLToPath(server);
await import(server.href);
