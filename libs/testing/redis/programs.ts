import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';

const folders = (process.env.PATH ?? '').split(delimiter);

/** Why there is no Redis on this machine; undefined where there is. */
export function redisIsMissing(): string | undefined {
  const missing = ['redis-server', 'redis-sentinel'].filter(
    (name) => !folders.some((folder) => existsSync(join(folder, name))),
  );
  return missing.length === 0 ? undefined : `there is no ${missing.join(' and no ')}`;
}

/** A child process that is there until it is ended. */
export class Daemon {
  private constructor(private readonly child: ChildProcess) {}

  /** @param ready what it prints once it can be used */
  static async start(command: string, args: readonly string[], ready: RegExp): Promise<Daemon> {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const daemon = new Daemon(child);
    let output = '';
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`${command} ended:\n${output}`)));
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (ready.test(output)) resolve();
      });
    });
    return daemon;
  }

  /** Does nothing when it has ended. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    // One that is stopped takes no other signal until it goes on.
    this.child.kill('SIGCONT');
    await exit;
  }

  /** Neither answers nor ends, until it goes on. */
  stop(): void {
    this.child.kill('SIGSTOP');
  }

  goOn(): void {
    this.child.kill('SIGCONT');
  }
}

/** A loopback port that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
