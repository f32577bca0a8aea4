import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from '../eventually.js';
import { Daemon, freePort } from './programs.js';
import { RedisServer } from './redis-server.js';

const count = 3;

/** A master with two replicas, and three sentinels that see to it that there is always a master. */
export class RedisSentinels {
  private constructor(
    readonly url: string,
    readonly master: RedisServer,
    readonly replicas: readonly RedisServer[],
    private readonly sentinels: readonly Daemon[],
    private readonly folder: string,
  ) {}

  static async start(): Promise<RedisSentinels> {
    const master = await RedisServer.start();
    const replicas = await Promise.all([RedisServer.startReplicaOf(master), RedisServer.startReplicaOf(master)]);
    const folder = await mkdtemp(join(tmpdir(), 'tidings-sentinels-'));
    const ports: number[] = [];
    const sentinels: Daemon[] = [];
    for (let number = 1; number <= count; number += 1) {
      const port = await freePort();
      const file = join(folder, `${number}.conf`);
      await writeFile(file, configuration(port, join(folder), master.port));
      ports.push(port);
      sentinels.push(await Daemon.start('redis-sentinel', [file], /\+monitor master/));
    }
    await Promise.all(ports.map((port) => eventually(() => knowsAll(port))));
    const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',');
    return new RedisSentinels(`redis+sentinel://${hosts}/0?name=keys`, master, replicas, sentinels, folder);
  }

  async remove(): Promise<void> {
    await Promise.all(this.sentinels.map((sentinel) => sentinel.end('SIGKILL')));
    await Promise.all([this.master, ...this.replicas].map((server) => server.remove()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Whether a sentinel knows both replicas and the other sentinels: until then a failover may take half a minute. */
async function knowsAll(port: number): Promise<boolean> {
  const client = new Redis(port);
  try {
    const [master] = (await client.call('SENTINEL', 'MASTERS')) as string[][];
    const value = (name: string) => master?.[master.indexOf(name) + 1];
    return value('num-slaves') === '2' && value('num-other-sentinels') === `${count - 1}`;
  } finally {
    client.disconnect();
  }
}

function configuration(port: number, folder: string, masterPort: number): string {
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor keys 127.0.0.1 ${masterPort} 2`,
    'sentinel down-after-milliseconds keys 300',
    'sentinel failover-timeout keys 2000',
    '',
  ].join('\n');
}
