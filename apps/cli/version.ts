import { readFileSync } from 'node:fs';

export function version(): string {
  // Three folders up from dist/apps/cli.
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
