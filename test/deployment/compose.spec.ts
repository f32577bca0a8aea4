import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readSettings } from '../../apps/server/settings/index.js';
import { notRun } from '#libs/testing';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);
const textOf = (name: string): string => readFileSync(`${root}${name}`, 'utf8');

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly healthcheck?: object;
  readonly ports?: readonly string[];
  readonly restart?: string;
  readonly volumes?: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
}

const compose = parse(textOf('docker-compose.yml'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const product = services.filter(([, { build }]) => build !== undefined);
/** Those that end when they have done their work. */
const oneShots = ['eventstore-certificates', 's3-bucket'];

/** `${NAME:-default}` and `${NAME:?}` as with a `.env` that gives only what has to be given. */
function interpolated(text: string): string {
  return text.replace(/\$\{\w+(?::-([^}]*)|:\?)\}/g, (_, standard: string | undefined) => standard ?? 'given');
}

test('the product runs in its four roles, with settings that it takes', () => {
  const roles = product.map(([name, { environment = {} }]) => {
    const given = Object.entries(environment).map(([key, value]) => [key, interpolated(String(value))]);
    // A file that only a container has.
    const env = Object.fromEntries(given.filter(([key]) => key !== 'TIDINGS_API_KEYS_FILE')) as Record<string, string>;
    const reading = readSettings({ ...env, HOST: '127.0.0.1' }, [], root);
    expect({ name, error: 'error' in reading ? reading.error : undefined }).toEqual({ name, error: undefined });
    return env['TIDINGS_ROLES'];
  });
  expect(roles).toEqual(['api', 'bots', 'sagas', 'projectors']);
});

test.each(services)('%s says whether it is well, and comes back by itself', (name, { healthcheck, restart, build }) => {
  if (oneShots.includes(name)) expect(restart).toBeUndefined();
  // The image of the product has its own.
  else
    expect({ healthy: healthcheck !== undefined || build !== undefined, restart }).toEqual({
      healthy: true,
      restart: 'unless-stopped',
    });
});

test('nothing can be reached from another machine', () => {
  const ports = services.flatMap(([, { ports = [] }]) => ports);
  expect(ports.length).toBeGreaterThan(0);
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
});

test('no secret stands in it', () => {
  const secrets = services.flatMap(([, { environment = {} }]) =>
    Object.entries(environment).filter(([name]) => /PASSWORD|SECRET|TOKEN|AUTH|KEYS_URL/.test(name)),
  );
  expect(secrets.length).toBeGreaterThan(5);
  for (const [, value] of secrets) expect(value).toMatch(/\$\{\w+:[?-]/);
});

test('every volume is declared, and every version of an image is said', () => {
  const used = services
    .flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]!))
    .filter((name) => !/^[./]/.test(name));
  expect([...new Set(used)].sort()).toEqual(Object.keys(compose.volumes).sort());
  for (const [name, { image, build }] of services)
    if (build === undefined) expect({ name, image }).toEqual({ name, image: expect.stringMatching(/:\D?\d/) });
});

test('the image starts the server as package.json does, and copies what there is', () => {
  const dockerfile = textOf('Dockerfile');
  const command = JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)![1]!) as string[];
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
  expect(scripts['start:built']).toBe(`exec ${command.join(' ')}`);
  expect(dockerfile).toMatch(/^USER node$/m);
  for (const [, file] of dockerfile.matchAll(/^COPY (package\S*)/gm)) expect(existsSync(`${root}${file}`)).toBe(true);
});

test('the image has the command line as a command', async () => {
  const [, script] = /^RUN (printf [^]*?\n.*chmod.*)$/m.exec(textOf('Dockerfile'))!;
  const folder = await mkdtemp(join(tmpdir(), 'tidings-image-'));
  try {
    const placed = script!.replaceAll('/usr/local/bin', folder).replaceAll('/app/', root);
    await run('sh', ['-c', placed]);
    const { stdout } = await run(join(folder, 'tidings'), ['--version']);
    expect(stdout).toContain((JSON.parse(textOf('package.json')) as { version: string }).version);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe('docker compose', () => {
  const env = { ...process.env, REDIS_PASSWORD: 'given', S3_SECRET_KEY: 'given' };
  const profiles = ['--profile', 'single', '--profile', 'cluster', '--file', `${root}docker-compose.yml`];

  test('takes the file', async () => {
    for (const [program, ...words] of [['docker', 'compose'], ['docker-compose']] as const) {
      if (
        !(await run(program, [...words, 'version']).then(
          () => true,
          () => false,
        ))
      )
        continue;
      await run(program, [...words, ...profiles, 'config', '--quiet'], { env });
      return;
    }
    notRun('docker-compose.yml in docker compose', 'it is not installed');
  });
});
