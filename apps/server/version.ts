import { readFileSync } from 'node:fs';

/** Of Tidings, as package.json has it. */
export function version(): string {
  // Three folders up from dist/apps/server.
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
