import { mkdtempSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { parse } from 'yaml';
import { eventually, specNotRun } from '#libs/testing';
import { Daemon, freePort, redisIsMissing } from '#libs/testing/redis';

interface Service {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const file = fileURLToPath(new URL('../../../docker-compose.yml', import.meta.url));
const { services } = parse(readFileSync(file, 'utf8'), { merge: true }) as { services: Record<string, Service> };
const password = 'given';
const keys = 50;

const servers = ['redis-1', 'redis-2'] as const;
const sentinels = ['redis-sentinel-1', 'redis-sentinel-2', 'redis-sentinel-3'] as const;
type Server = (typeof servers)[number];
type Name = Server | (typeof sentinels)[number];

/** The servers and sentinels of docker-compose.yml by its own commands, as processes: ports for hosts, folders for volumes. */
class Composed {
  private readonly folder = mkdtempSync(join(tmpdir(), 'tidings-composed-'));
  private readonly daemons = new Map<Name, Daemon>();

  private constructor(private readonly ports: Readonly<Record<Name, number>>) {}

  static async create(): Promise<Composed> {
    const ports = [];
    for (const name of [...servers, ...sentinels]) ports.push([name, await freePort()] as const);
    return new Composed(Object.fromEntries(ports) as Record<Name, number>);
  }

  async up(): Promise<void> {
    await Promise.all(servers.map((name) => this.start(name)));
    await Promise.all(sentinels.map((name) => this.start(name)));
  }

  async start(name: Name): Promise<void> {
    const { command, environment } = services[name]!;
    await mkdir(join(this.folder, name), { recursive: true });
    const own = { ...environment, REDISCLI_AUTH: password };
    const variables = Object.entries(own).map(([variable, value]) => `${variable}=${value}`);
    const words = [...variables, ...command].map((word) => this.placed(name, word));
    this.daemons.set(name, await Daemon.start('env', words, /Ready to accept connections|\+monitor master/));
    // So that a test need not wait for what sentinels look at every ten seconds.
    if (!isServer(name)) await this.ask(name, (sentinel) => sentinel.call('SENTINEL', 'DEBUG', 'INFO-PERIOD', '300'));
  }

  private placed(name: Name, text: string): string {
    const other: Server = name === 'redis-1' ? 'redis-2' : 'redis-1';
    return text
      .replaceAll('$$', '$')
      .replaceAll('$(hostname)', '127.0.0.1')
      .replaceAll(/redis-[12]\b/g, '127.0.0.1')
      .replace(/'port 2?6379'/, `'port ${this.ports[name]}' 'bind 127.0.0.1'`)
      .replaceAll('6379', `${this.ports[other]}`)
      .replace('failover-timeout keys 30000', 'failover-timeout keys 2000')
      .replaceAll('/data', join(this.folder, name));
  }

  async down(names: readonly Name[] = [...servers, ...sentinels]): Promise<void> {
    await Promise.all(names.map(async (name) => this.daemons.get(name)?.end('SIGKILL')));
  }

  async removeVolume(name: Server): Promise<void> {
    await rm(join(this.folder, name), { recursive: true });
  }

  async remove(): Promise<void> {
    await this.down();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Resolves when all sentinels know that it is the master and know each other, and when the other one follows it. */
  async follow(name: Server): Promise<void> {
    const port = `${this.ports[name]}`;
    await eventually(
      async () => {
        for (const sentinel of sentinels) {
          const fields = (await this.ask(sentinel, (client) => client.call('SENTINEL', 'MASTER', 'keys'))) as string[];
          const value = (field: string) => fields[fields.indexOf(field) + 1];
          expect([value('port'), value('num-slaves'), value('num-other-sentinels')]).toEqual([port, '1', '2']);
        }
        const info = await this.ask(name, (client) => client.info('replication'));
        expect(info).toMatch(/role:master[^]*slave0:[^]*state=online/);
        // Until a new replica has rewritten its file, a kill takes what it has got.
        for (const server of servers) {
          const persistence = await this.ask(server, (client) => client.info('persistence'));
          expect(persistence).toMatch(/aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/);
        }
        return true;
      },
      { timeoutMs: 120_000 },
    );
  }

  async write(name: Server): Promise<void> {
    await this.ask(name, async (client) => {
      await eventually(() => client.set('key/0', 'value'));
      for (let index = 1; index < keys; index += 1) await client.set(`key/${index}`, 'value');
      expect(await client.wait(1, 5_000)).toBe(1);
    });
  }

  async isMaster(name: Server): Promise<boolean> {
    return (await this.ask(name, (client) => client.info('replication'))).includes('role:master');
  }

  /** How many keys each of them has. */
  kept(): Promise<number[]> {
    return Promise.all(servers.map((name) => this.ask(name, (client) => client.dbsize())));
  }

  private async ask<Answer>(name: Name, question: (client: Redis) => Promise<Answer>): Promise<Answer> {
    const client = new Redis({
      port: this.ports[name],
      ...(isServer(name) ? { password } : {}),
      retryStrategy: () => null,
    });
    // What is asked fails with the same.
    client.on('error', () => undefined);
    try {
      return await question(client);
    } finally {
      client.disconnect();
    }
  }
}

function isServer(name: Name): name is Server {
  return (servers as readonly Name[]).includes(name);
}

const missing = redisIsMissing();
if (missing !== undefined) specNotRun('Redis as docker-compose.yml has it', missing);
else {
  describe('Redis as docker-compose.yml has it', () => {
    let composed: Composed;

    beforeEach(async () => {
      composed = await Composed.create();
      await composed.up();
      await composed.follow('redis-1');
      await composed.write('redis-1');
    }, 180_000);
    afterEach(() => composed.remove());

    async function failOver(): Promise<void> {
      await composed.down(['redis-1']);
      await eventually(() => composed.isMaster('redis-2'));
    }

    test('a failover outlasts the containers, also where the first master comes back with nothing', async () => {
      await failOver();
      await composed.down();
      await composed.removeVolume('redis-1');
      await composed.up();
      await composed.follow('redis-2');
      expect(await composed.kept()).toEqual([keys, keys]);
    }, 180_000);

    test('a server that became the master comes back with nothing, and follows the one that has all', async () => {
      await failOver();
      await composed.start('redis-1');
      await composed.follow('redis-2');
      await composed.down();
      await composed.removeVolume('redis-2');
      await composed.up();
      await composed.follow('redis-1');
      expect(await composed.kept()).toEqual([keys, keys]);
    }, 180_000);

    test.each([
      ['with all others', undefined],
      ['alone', ['redis-1'] as const],
    ])(
      'a master that comes back with nothing, %s, is the master no more',
      async (_, down) => {
        await composed.down(down);
        await composed.removeVolume('redis-1');
        if (down === undefined) await composed.up();
        else await composed.start('redis-1');
        await composed.follow('redis-2');
        expect(await composed.kept()).toEqual([keys, keys]);
      },
      180_000,
    );
  });
}
