import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

test('a process that cannot be started fails the start, which does not wait for it', async () => {
  const script = `
    import { openFacade } from ${JSON.stringify(new URL('./facade.js', import.meta.url).href)};
    process.execPath = '/nowhere/node';
    const settings = { facade: { host: '127.0.0.1', port: 0 }, dataDir: '/nowhere' };
    const store = { head: async () => 0n };
    console.log(await openFacade(settings, store).catch(({ message }) => message));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  expect(stdout).toBe('the process of the facade cannot be started: spawn /nowhere/node ENOENT\n');
});
