import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const folder = 'query-index';

/** The files of an index: `<version of the tables>.<which making>.db`. */
export class IndexFiles {
  private readonly directory: string;

  /** @param dataDirectory where the folder `query-index` is */
  constructor(
    dataDirectory: string,
    private readonly tablesVersion: number,
  ) {
    this.directory = join(dataDirectory, folder);
  }

  pathOf(making: number): string {
    return join(this.directory, this.nameOf(making));
  }

  /** Those that are there, of this version of the tables, in order. */
  async makings(): Promise<readonly number[]> {
    if (!existsSync(this.directory)) return [];
    const names = await readdir(this.directory);
    const found = names.map((name) => /^(\d+)\.(\d+)\.db$/.exec(name)).filter((match) => match !== null);
    return found
      .filter(([, version]) => Number(version) === this.tablesVersion)
      .map(([, , making]) => Number(making))
      .sort((a, b) => a - b);
  }

  /** Removes what is left of all others: they hold what an erasure would not reach. Nobody may have them open. */
  async removeAllBut(makings: readonly number[]): Promise<void> {
    if (!existsSync(this.directory)) return;
    const kept = makings.map((making) => this.nameOf(making));
    for (const name of await readdir(this.directory)) {
      if (!kept.some((one) => name.startsWith(one))) await rm(join(this.directory, name), { force: true });
    }
  }

  private nameOf(making: number): string {
    return `${this.tablesVersion}.${making}.db`;
  }
}
