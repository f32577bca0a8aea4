import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../apps/server/main.js', import.meta.url));

export type Environment = Readonly<Record<string, string>>;

export interface ServerProcess {
  /** Where the API is, without a slash at the end. */
  readonly url: string;
  /** Everything printed so far, on both outputs. */
  readonly output: string;
  /** Asks the process to end, by SIGTERM unless said otherwise. @throws where it does not end with exit code 0 */
  stop(signal?: 'SIGTERM' | 'SIGINT'): Promise<void>;
  /** Ends the process by SIGKILL. Does nothing when it has ended. */
  kill(): Promise<void>;
}

/** What a process that ended by itself left behind. */
export interface EndedProcess {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A new empty folder; `remove` deletes it with all that is in it. */
export async function temporaryFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'tidings-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/**
 * Starts the built server on a free port; resolves when it says that it is ready.
 * @param dataDir its data directory, and the folder in which it runs
 * @throws with its output where it ends before that
 */
export async function startServer(dataDir: string, env: Environment = {}): Promise<ServerProcess> {
  const child = new Child(dataDir, [], env);
  const url = await child.ready();
  return {
    url,
    get output() {
      return child.stdout + child.stderr;
    },
    async stop(signal = 'SIGTERM') {
      child.process.kill(signal);
      const { code } = await child.ended();
      if (code !== 0)
        throw new Error(`${signal} ended the server with exit code ${code}:\n${child.stdout}${child.stderr}`);
    },
    async kill() {
      child.process.kill('SIGKILL');
      await child.ended();
    },
  };
}

/** Runs the built server until it ends by itself. */
export function runServer(dataDir: string, args: readonly string[], env: Environment = {}): Promise<EndedProcess> {
  return new Child(dataDir, args, env).ended();
}

class Child {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';
  private readonly closed: Promise<unknown>;

  constructor(dataDir: string, args: readonly string[], env: Environment) {
    this.process = spawn(process.execPath, [program, ...args], {
      cwd: dataDir,
      // Nothing of this process's environment may change what is tested.
      env: { PORT: '0', TIDINGS_DATA_DIR: dataDir, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.closed = once(this.process, 'close');
  }

  async ended(): Promise<EndedProcess> {
    await this.closed;
    return { code: this.process.exitCode, stdout: this.stdout, stderr: this.stderr };
  }

  ready(): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const url = /^ {2}API +(http\S+)$/m.exec(this.stdout)?.[1];
        if (url !== undefined) resolve(url);
      };
      this.process.stdout!.on('data', look);
      void this.closed.then(() => reject(new Error(`the server did not start:\n${this.stdout}${this.stderr}`)));
    });
  }
}
