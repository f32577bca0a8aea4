import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { notRun } from '#libs/testing';

const runner = new URL('../../test/not-run.mjs', import.meta.url).href;

test('what a spec cannot do on this machine goes to the list of the run', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidings-not-run-'));
  const before = process.env.TESTS_NOT_RUN;
  process.env.TESTS_NOT_RUN = join(folder, 'list');
  try {
    notRun('flying', 'pigs have no wings');
    notRun('swimming', 'there is no water');
    expect(await readFile(join(folder, 'list'), 'utf8')).toBe(
      'not run: flying, because pigs have no wings\nnot run: swimming, because there is no water\n',
    );
  } finally {
    if (before === undefined) delete process.env.TESTS_NOT_RUN;
    else process.env.TESTS_NOT_RUN = before;
    await rm(folder, { recursive: true });
  }
});

test.each([0, 1])('the run ends with the list, and with its own exit code %d', (code) => {
  const program = `
    import ${JSON.stringify(runner)};
    import { appendFileSync } from 'node:fs';
    appendFileSync(process.env.TESTS_NOT_RUN, 'not run: flying, because pigs have no wings\\n');
    process.exit(${code});`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(run).toMatchObject({ status: code, stdout: '', stderr: 'not run: flying, because pigs have no wings\n' });
});
