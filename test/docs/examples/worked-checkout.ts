import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from '../../support/index.js';
import { applied, changesOf, root } from './page.js';

/** The pages, in the order in which their changes are made, and where the code of each goes. */
export const workedExamples = [
  { page: 'add-a-channel.md', folder: 'docs/examples/webhook', library: 'libs/channel/webhook' },
  { page: 'add-a-projector.md', folder: 'docs/examples/daily-counts', library: 'libs/daily-counts' },
  { page: 'add-a-subsystem.md', folder: 'docs/examples/reminders', library: 'libs/reminder' },
] as const;

const sources = ['apps', 'libs', 'streams.config.ts', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];

export interface WorkedCheckout {
  /** The compiled server, with everything that the pages add. */
  readonly program: string;
  remove(): Promise<void>;
}

/** A copy of the checkout after everything that the pages tell, compiled. @throws with what the compiler says */
export async function workCheckout(): Promise<WorkedCheckout> {
  const { path, remove } = await temporaryFolder();
  const from = fileURLToPath(root);
  try {
    await Promise.all(sources.map((name) => cp(join(from, name), join(path, name), { recursive: true })));
    await symlink(join(from, 'node_modules'), join(path, 'node_modules'), 'junction');
    await mkdir(join(path, 'docs'));
    for (const { page, folder, library } of workedExamples) {
      await cp(join(from, folder), join(path, library), { recursive: true });
      for (const change of changesOf(page)) {
        const file = join(path, change.file);
        await writeFile(file, applied(await readFile(file, 'utf8'), change));
      }
    }
    await rm(join(path, 'dist'), { recursive: true, force: true });
    await compile(path);
  } catch (error) {
    await remove();
    throw error;
  }
  return { program: join(path, 'dist/apps/server/main.js'), remove };
}

async function compile(folder: string): Promise<void> {
  const compiler = join(folder, 'node_modules/typescript/bin/tsc');
  try {
    await promisify(execFile)(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: folder });
  } catch (error) {
    throw new Error(`it does not compile:\n${(error as { stdout: string }).stdout}`, { cause: error });
  }
}
