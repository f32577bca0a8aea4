import { copyFile, mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startServer, temporaryFolder } from '../support/index.js';
import { tidings } from './tidings.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let backup: string;
const inFolder = (...path: string[]) => join(folder.path, ...path);

beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(inFolder('data'));
  await (await startServer(inFolder('data'))).stop();
  const made = await tidings(['backup', '--data-dir', inFolder('data'), '--to', inFolder('backups'), '--json']);
  ({ backup } = JSON.parse(made.stdout) as { backup: string });
});

afterAll(() => folder.remove());

test.each<[what: string, args: () => string[], code: number, says: string]>([
  ['a backup without a place', () => ['backup'], 2, '--to is required'],
  [
    'to keep no backup',
    () => ['backup', '--to', inFolder('b'), '--keep', '0'],
    2,
    '--keep must be a whole number from 1 to 9999',
  ],
  [
    'a backup of something else',
    () => ['backup', '--to', inFolder('b'), '--data-dir', inFolder('no')],
    7,
    'is no data directory: it has neither events.db nor keys.db',
  ],
  [
    'a backup into the data directory',
    () => ['backup', '--to', inFolder('data', 'b'), '--data-dir', inFolder('data')],
    2,
    '--to must not be in the data directory',
  ],
  [
    'to restore from the folder of backups',
    () => ['restore', '--from', inFolder('backups'), '--data-dir', inFolder('r')],
    7,
    'is not a whole backup, as it has no backup.json: its newest one is',
  ],
  [
    'to restore into a folder in use',
    () => ['restore', '--from', backup, '--data-dir', inFolder('data')],
    7,
    'is not empty: name a new folder, or move this one away',
  ],
  ['to ask a server', () => ['restore', '--from', backup, '--url', 'http://127.0.0.1'], 2, "Unknown option '--url'"],
])('%s', async (_, args, code, says) => {
  expect(await tidings(args())).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(says) });
});

test.each<[what: string, damage: (file: string) => Promise<void>, says: string]>([
  ['damaged', changeOneByte, 'is damaged: it is not what was backed up'],
  ['missing', (file) => rm(file), 'is missing: put it back if it was kept elsewhere'],
])('a backup of which a file is %s leaves no data directory', async (_, damage, says) => {
  const file = join(backup, 'keys.db');
  await copyFile(file, inFolder('kept.db'));
  await damage(file);
  const restored = await tidings(['restore', '--from', backup, '--data-dir', inFolder('r')]);
  await copyFile(inFolder('kept.db'), file);
  expect(restored).toMatchObject({ code: 7, stdout: '', stderr: expect.stringContaining(`${file} ${says}`) });
  await expect(stat(inFolder('r'))).rejects.toThrow('ENOENT');
  await expect(stat(inFolder('r.restoring'))).rejects.toThrow('ENOENT');
});

async function changeOneByte(file: string): Promise<void> {
  const opened = await open(file, 'r+');
  await opened.write(Buffer.from('!'), 0, 1, 5_000);
  await opened.close();
}
