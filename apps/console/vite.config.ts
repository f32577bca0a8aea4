import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const server = 'http://127.0.0.1:3000';
const compressible = /\.(js|css|svg)$/;

/** Writes `<file>.gz` beside what is worth it, so that the server need not compress the same files again and again. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    writeBundle({ dir }, bundle) {
      for (const name of Object.keys(bundle).filter((one) => compressible.test(one))) {
        const path = join(dir!, name);
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
      }
    },
  };
}

/** `npx vite apps/console` serves the console while it is written, with the API of a server at its usual port. */
export default defineConfig({
  root: import.meta.dirname,
  build: {
    target: 'es2022',
    rolldownOptions: {
      // `"use client"` of Mantine's modules is for frameworks that render on the server.
      onLog: (level, log, handle) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && handle(level, log),
    },
  },
  server: { proxy: { '/v1': server, '/health': server } },
  plugins: [compressed()],
});
