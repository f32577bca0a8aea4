import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from '../eventually.js';
import { testOnlyCertificate, testOnlyKey } from '../smtp/index.js';
import { Daemon, freePort } from './programs.js';

/** A real redis-server on a free loopback port, with a folder of its own. */
export class RedisServer {
  private constructor(
    readonly port: number,
    /** Where its files are. */
    readonly folder: string,
    private readonly args: readonly string[],
    private daemon: Daemon,
  ) {}

  /** @param more arguments, such as `['--appendonly', 'no']`; it keeps what it is told, unless they say otherwise */
  static async start(more: readonly string[] = []): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'tidings-redis-'));
    const port = await freePort();
    return RedisServer.launch(port, folder, ['--port', `${port}`, ...more]);
  }

  /** It speaks TLS alone, with the certificate that is for tests only. */
  static async startWithTls(more: readonly string[] = []): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'tidings-redis-'));
    const port = await freePort();
    const tls = await tlsArguments(folder);
    return RedisServer.launch(port, folder, ['--port', '0', '--tls-port', `${port}`, ...tls, ...more]);
  }

  /** Is up once it has all that its master has. */
  static async startReplicaOf(master: RedisServer): Promise<RedisServer> {
    const replica = await RedisServer.start(['--replicaof', `127.0.0.1 ${master.port}`]);
    await eventually(async () => (await replica.replication()).includes('master_link_status:up'));
    return replica;
  }

  private static async launch(port: number, folder: string, more: readonly string[]): Promise<RedisServer> {
    const args = ['--bind', '127.0.0.1', '--dir', folder, '--save', '', ...durable, ...promptToReplicas, ...more];
    return new RedisServer(port, folder, args, await launch(args));
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Whether writes go here, as sentinels have decided. */
  async isMaster(): Promise<boolean> {
    return (await this.replication()).includes('role:master');
  }

  private async replication(): Promise<string> {
    const client = new Redis(this.url);
    try {
      return await client.info('replication');
    } finally {
      client.disconnect();
    }
  }

  /** Ends it by SIGKILL; `restart` has it back. */
  kill(): Promise<void> {
    return this.daemon.end('SIGKILL');
  }

  async restart(): Promise<void> {
    this.daemon = await launch(this.args);
  }

  /** Has it say nothing any more, with all connections open. */
  silence(): void {
    this.daemon.stop();
  }

  goOn(): void {
    this.daemon.goOn();
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
const promptToReplicas = ['--repl-diskless-sync-delay', '0'];

/** Clients show no certificate of theirs. */
async function tlsArguments(folder: string): Promise<string[]> {
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await writeFile(certificate, testOnlyCertificate);
  await writeFile(key, testOnlyKey);
  const files = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate];
  return [...files, '--tls-auth-clients', 'no'];
}

function launch(args: readonly string[]): Promise<Daemon> {
  return Daemon.start('redis-server', args, /Ready to accept connections/);
}
