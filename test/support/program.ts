import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';

export type Environment = Readonly<Record<string, string>>;

/** What a process that ended by itself left behind. */
export interface EndedProcess {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A child process, and what it has printed so far. */
export class Program {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';
  private readonly closed: Promise<unknown>;

  /** @param options its environment holds nothing of this process's, unless it says so */
  constructor(command: string, args: readonly string[], options: SpawnOptions & { readonly env: Environment }) {
    this.process = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.closed = once(this.process, 'close');
  }

  get output(): string {
    return this.stdout + this.stderr;
  }

  async ended(): Promise<EndedProcess> {
    await this.closed;
    return { code: this.process.exitCode, stdout: this.stdout, stderr: this.stderr };
  }

  /** Resolves with the first group of the pattern once stdout matches. @throws with its output where it ends before */
  prints(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(this.stdout)?.[1];
        if (found !== undefined) resolve(found);
      };
      this.process.stdout!.on('data', look);
      void this.closed.then(() => reject(new Error(`it ended without printing ${pattern}:\n${this.output}`)));
    });
  }
}
