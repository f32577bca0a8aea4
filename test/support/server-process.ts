import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endEventsOf, eventsOf } from './events-elsewhere.js';
import { Program, type EndedProcess, type Environment } from './program.js';

const program = fileURLToPath(new URL('../../apps/server/main.js', import.meta.url));

export interface ServerProcess {
  /** Where the API is, without a slash at the end; without the role, where the process is operated. */
  readonly url: string;
  readonly pid: number;
  /** Everything printed so far, on both outputs. */
  readonly output: string;
  /** Asks the process to end, by SIGTERM unless said otherwise. @throws where it does not end with exit code 0 */
  stop(signal?: 'SIGTERM' | 'SIGINT'): Promise<void>;
  /** Sends a signal that does not end it. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Ends the process by SIGKILL. Does nothing when it has ended. */
  kill(): Promise<void>;
}

/** A new empty folder; `remove` deletes it with all that is in it. */
export async function temporaryFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'tidings-'));
  return {
    path,
    async remove() {
      await endEventsOf(path);
      await rm(path, { recursive: true, force: true });
    },
  };
}

/**
 * Starts the built server on a free port; resolves when it says that it is ready.
 * @param dataDir its data directory, and the folder in which it runs
 * @param spawned told how to end the process by SIGKILL, before it is ready
 * @throws with its output where it ends before that
 */
export async function startServer(
  dataDir: string,
  env: Environment = {},
  spawned: (kill: () => Promise<void>) => void = () => {},
): Promise<ServerProcess> {
  const server = run(dataDir, [], { ...(await eventsOf(dataDir, env)), ...env });
  const kill = async (): Promise<void> => {
    server.process.kill('SIGKILL');
    await server.ended();
  };
  spawned(kill);
  const url = await server.prints(/^ {2}API +.*?(http\S+)$/m);
  return {
    url,
    pid: server.process.pid!,
    get output() {
      return server.output;
    },
    async stop(signal = 'SIGTERM') {
      server.process.kill(signal);
      const { code } = await server.ended();
      if (code !== 0) throw new Error(`${signal} ended the server with exit code ${code}:\n${server.output}`);
    },
    signal: (signal) => void server.process.kill(signal),
    kill,
  };
}

/** Runs the built server until it ends by itself. */
export function runServer(dataDir: string, args: readonly string[], env: Environment = {}): Promise<EndedProcess> {
  return run(dataDir, args, env).ended();
}

/** Where the API is that a server tells of once it is ready. @throws with its output where it ends before that */
export function apiOf(server: Program): Promise<string> {
  return server.prints(/^ {2}API +(http\S+)$/m);
}

/** Where a server takes mail that comes back. @throws where it does not */
export function bouncesOf({ output }: Pick<ServerProcess, 'output'>): string {
  const [, url] = /^ {2}back +(smtp:\S+),/m.exec(output) ?? [];
  if (url === undefined) throw new Error(`no mail that comes back is taken:\n${output}`);
  return url;
}

function run(dataDir: string, args: readonly string[], env: Environment): Program {
  return new Program(process.execPath, [program, ...args], {
    cwd: dataDir,
    env: { PORT: '0', TIDINGS_DATA_DIR: dataDir, ...env },
  });
}
