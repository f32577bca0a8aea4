/**
 * Shows at the end of this process what its tests said they could not do on this machine (`notRun` in `libs/testing`).
 * Specs run in other processes, so they say it to a file.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'tidings-not-run-'));
const list = join(folder, 'list');
writeFileSync(list, '');
process.env.TESTS_NOT_RUN = list;

process.once('exit', () => {
  process.stderr.write(readFileSync(list, 'utf8'));
  rmSync(folder, { recursive: true });
});
