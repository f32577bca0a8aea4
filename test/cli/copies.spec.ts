import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { FolderBlobStore } from '#libs/blob';
import { specNotRun, SmtpDouble, testOnlyCertificate } from '#libs/testing';
import { redisIsMissing, RedisServer } from '#libs/testing/redis';
import { S3Double } from '#libs/testing/s3';
import { parseRedisUrl, openRedisKeys, SqliteKeyStore, type RedisKeyStore } from '#libs/vault';
import {
  Api,
  eventually,
  findInFiles,
  Program,
  startServer,
  temporaryFolder,
  type EndedProcess,
  type ServerProcess,
} from '../support/index.js';
import { tidings } from './tidings.js';

const main = fileURLToPath(new URL('../../apps/cli/main.js', import.meta.url));
const password = 'canary-password';

const missing = redisIsMissing();
if (missing !== undefined) specNotRun('keys and blobs that are copied to Redis and an S3 API', missing);
else {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let redis: RedisServer;
  let s3: S3Double;
  let smtp: SmtpDouble;
  let server: ServerProcess | undefined;
  let proxy: Server | undefined;
  const sockets: Socket[] = [];
  const inFolder = (...path: string[]) => join(folder.path, ...path);

  beforeEach(async () => {
    folder = await temporaryFolder();
    await mkdir(inFolder('data'));
    redis = await RedisServer.start(['--requirepass', password]);
    s3 = await S3Double.start();
    smtp = await SmtpDouble.start({ security: 'plain' });
  });

  afterEach(async () => {
    await server?.kill();
    server = undefined;
    for (const socket of sockets.splice(0)) socket.destroy();
    proxy?.close();
    await Promise.all([redis.remove(), s3.remove(), smtp.close()]);
    await folder.remove();
  });

  const keysUrl = (port = redis.port) => `redis://:${password}@127.0.0.1:${port}`;
  const environment = () => ({ ...S3Double.credentials, KEYS: keysUrl(), BLOBS: s3.url('moved') });
  const copySecrets = (from: string, to: string, env = {}) =>
    tidings(['secrets', 'copy', '--from', from, '--to', to, '--json'], { ...environment(), ...env });
  const copyBlobs = (from: string, to: string, env = {}) =>
    tidings(['blobs', 'copy', '--from', from, '--to', to, '--json'], { ...environment(), ...env });

  async function start(data: string, env: Readonly<Record<string, string>> = {}): Promise<Api> {
    server = await startServer(inFolder(data), { TIDINGS_SMTP_URL: smtp.url, ...env });
    return new Api(server.url);
  }

  const shared = () => ({
    ...S3Double.credentials,
    TIDINGS_KEYS_URL: keysUrl(),
    TIDINGS_BLOBS_URL: s3.url('moved'),
  });

  function resultOf({ code, stdout, stderr }: EndedProcess): Readonly<Record<string, unknown>> {
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
    expect(stdout + stderr).not.toContain(password);
    return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
  }

  async function named(api: Api, id: string): Promise<unknown> {
    const { status, body } = await api.request<{ displayName?: string }>('GET', `/v1/recipients/${id}`);
    return status === 200 ? body.displayName : status;
  }

  test('a server goes on with Redis and a bucket where it was with its folder, and back again', async () => {
    const file = randomBytes(3_000_000);
    let api = await start('data');
    await api.putRecipient('ada', 'ada@example.com', { displayName: 'Ada Lovelace' });
    await api.putRecipient('eve', 'eve@example.com', { displayName: 'Eve' });
    const upload = await api.request<{ id: string }>('POST', '/v1/blobs', file);
    const attachments = [{ fileName: 'file.bin', mediaType: 'text/plain', blobId: upload.body.id }];
    const content = { subject: 'A file', text: 'Here it is.', attachments };
    const [toAda, toEve] = [await api.notify('ada', { content }), await api.notify('eve', { content })];
    for (const id of [toAda, toEve]) expect((await api.finalView(id)).status).toBe('sent');
    expect((await api.request('DELETE', '/v1/recipients/eve')).status).toBe(200);
    smtp.behave({ at: 'recipient', wait: new Promise(() => undefined), times: 1_000 });
    const waiting = await api.notify('ada', { content: { ...content, subject: 'Waiting' } });
    await eventually(async () => {
      const { channels } = await api.view(waiting);
      return channels['email']?.operations[0]?.attempts || undefined;
    });

    // While a server uses them, nothing is copied.
    for (const copy of [copySecrets(inFolder('data'), 'env:KEYS'), copyBlobs(inFolder('data'), 'env:BLOBS')]) {
      expect(await copy).toMatchObject({ code: 7, stderr: expect.stringContaining('is in use by process') });
    }
    await server!.kill();
    await smtp.close();
    smtp = await SmtpDouble.start({ security: 'plain' });

    // A start with the new settings, too early: it is refused, and is no hindrance.
    await expect(start('data', shared())).rejects.toThrow(/sealed with keys that are kept elsewhere/);
    const keys = resultOf(await copySecrets(inFolder('data'), 'env:KEYS'));
    expect(keys).toMatchObject({ from: inFolder('data'), to: `Redis at 127.0.0.1:${redis.port}` });
    expect(keys['keys']).toBeGreaterThanOrEqual(3);
    expect(keys['destroyed']).toBeGreaterThanOrEqual(1);
    const blobs = resultOf(await copyBlobs(inFolder('data'), 'env:BLOBS'));
    expect(blobs['to']).toBe(`s3://tidings/moved/ at 127.0.0.1:${s3.port}`);
    expect(blobs['bytes']).toBeGreaterThan(file.length);

    api = await start('data', shared());
    expect(await named(api, 'ada')).toBe('Ada Lovelace');
    expect((await api.view(toAda)).subject).toBe('A file');
    expect(await named(api, 'eve')).toBe(404);
    expect((await api.view(toEve)).subject).toBe('[erased]');
    expect((await api.finalView(waiting)).status).toBe('sent');
    expect((await api.finalView(await api.notify('ada', { content }))).status).toBe('sent');
    expect(attached()).toEqual([file, file]);
    expect((await api.request('DELETE', '/v1/recipients/ada')).status).toBe(200);
    await api.putRecipient('bob', 'bob@example.com', { displayName: 'Bob' });
    const used = await copySecrets('env:KEYS', inFolder('other'));
    expect(used).toMatchObject({ code: 4, stderr: expect.stringContaining('is in use by 1 processes') });
    await server!.stop();

    // Back into the old folder: who was erased meanwhile is erased there.
    const back = resultOf(await copySecrets('env:KEYS', inFolder('data')));
    expect(back['destroyed']).toBeGreaterThan(keys['destroyed'] as number);
    resultOf(await copyBlobs('env:BLOBS', inFolder('data')));
    api = await start('data');
    expect(await named(api, 'bob')).toBe('Bob');
    for (const id of [toAda, toEve]) expect((await api.view(id)).subject).toBe('[erased]');
    expect((await api.finalView(await api.notify('bob', { content }))).status).toBe('sent');
    expect(attached()).toEqual([file, file, file]);
    expect((await stat(inFolder('data', 'keys.db'))).mode & 0o777).toBe(0o600);
  }, 180_000);

  /** What came with the mails so far. */
  function attached(): Buffer[] {
    return smtp.mails.map(({ parsed }) => Buffer.from(parsed.attachments[0]!.content as ArrayBuffer));
  }

  test('killed while it copies keys, it goes on where it was, and nothing is lost or comes back', async () => {
    const store = await SqliteKeyStore.open(inFolder('data'));
    const owners = Array.from({ length: 3_000 }, (_, index) => `recipient/${index}`);
    const keys = await Promise.all(owners.map((owner) => store.keyFor(owner)));
    const gone = keys.slice(0, 700);
    await store.destroy(gone.map(({ id }) => id));
    await store.close();

    const { port, stopped } = await stopAtScript(5);
    const killed = run(['secrets', 'copy', '--from', inFolder('data'), '--to', 'env:KEYS'], { KEYS: keysUrl(port) });
    await stopped;
    killed.process.kill('SIGKILL');
    await killed.ended();
    const target = await openRedisKeys({ connection: parseRedisUrl(keysUrl()) });
    const there = await countIn(
      target,
      keys.map(({ id }) => id),
    );
    expect(there).toBeGreaterThan(0);
    expect(there).toBeLessThan(2_300);
    // Somebody is erased in between, in the target alone.
    const [erased] = await target.idsOf(keys[700]!.owner);
    expect(await target.destroy([erased!])).toBe(1);
    await target.close();

    const first = resultOf(await copySecrets(inFolder('data'), 'env:KEYS'));
    expect(first).toMatchObject({ keys: 2_299, destroyed: 701 });
    expect(resultOf(await copySecrets(inFolder('data'), 'env:KEYS'))).toEqual(first);
    const copied = await openRedisKeys({ connection: parseRedisUrl(keysUrl()) });
    try {
      for (const { id, key } of keys.slice(701)) expect((await copied.find(id))?.key.equals(key)).toBe(true);
      expect(await countIn(copied, [...gone.map(({ id }) => id), erased!])).toBe(0);
    } finally {
      await copied.close();
    }
    const secrets = keys.slice(701, 711).map(({ key }) => key.export().toString('base64url'));
    expect(killed.output).not.toMatch(new RegExp([password, ...secrets].join('|')));
  }, 120_000);

  test('killed while it copies blobs, it goes on where it was', async () => {
    const store = await FolderBlobStore.open(inFolder('data'));
    for (let index = 0; index < 60; index += 1) {
      await store.put(`key-${index}`, 'blob', Readable.from([randomBytes(1_000)]));
    }
    let puts = 0;
    const stopped = new Promise<void>((resolve) => {
      s3.trouble = (line) => {
        if (!line.startsWith('PUT') || (puts += 1) <= 20) return undefined;
        resolve();
        return 'silence';
      };
    });
    const killed = run(['blobs', 'copy', '--from', inFolder('data'), '--to', 'env:BLOBS'], environment());
    await stopped;
    killed.process.kill('SIGKILL');
    await killed.ended();
    s3.trouble = () => undefined;
    const before = s3.requests.length;
    const first = resultOf(await copyBlobs(inFolder('data'), 'env:BLOBS'));
    expect(first).toMatchObject({ blobs: 60, bytes: 60_000 });
    expect(s3.requests.slice(before).filter((line) => line.startsWith('PUT'))).toHaveLength(40);
    expect(resultOf(await copyBlobs('env:BLOBS', inFolder('other')))).toMatchObject({ sha256: first['sha256'] });
  }, 120_000);

  test('the certificates of Redis are those of the server, unless they are named', async () => {
    const tls = await RedisServer.startWithTls();
    try {
      const store = await SqliteKeyStore.open(inFolder('data'));
      await store.keyFor('recipient/ada');
      await store.close();
      const ca = inFolder('ca.pem');
      await writeFile(ca, testOnlyCertificate);
      const url = { KEYS: `rediss://127.0.0.1:${tls.port}` };
      expect(await copySecrets(inFolder('data'), 'env:KEYS', url)).toMatchObject({
        code: 4,
        stderr: expect.stringContaining('self-signed certificate'),
      });
      resultOf(await copySecrets(inFolder('data'), 'env:KEYS', { ...url, TIDINGS_KEYS_CA: ca }));
      const named = ['secrets', 'copy', '--from', 'env:KEYS', '--to', inFolder('back'), '--ca', ca, '--json'];
      expect(resultOf(await tidings(named, url))).toMatchObject({ keys: 1 });
    } finally {
      await tls.remove();
    }
  });

  test('what cannot be copied is told in one line', async () => {
    const store = await SqliteKeyStore.open(inFolder('data'));
    await store.keyFor('recipient/ada');
    await store.close();
    await FolderBlobStore.open(inFolder('data'));
    const [data, other] = [inFolder('data'), inFolder('other')];
    const wrong = `redis://:canary-wrong@127.0.0.1:${redis.port}`;
    const attempts: readonly (readonly [() => Promise<EndedProcess>, number, string])[] = [
      [() => copySecrets(other, 'env:KEYS'), 2, 'is no data directory: it has no keys.db'],
      [() => copyBlobs(other, 'env:BLOBS'), 2, 'is no data directory: it has no blobs'],
      [() => copySecrets(data, 's3://bucket'), 2, '--to must be a data directory or a redis:// URL'],
      [() => copyBlobs(data, 'env:KEYS'), 2, '--to must be a data directory or an s3:// URL'],
      [() => copySecrets(data, 'redis://canary@x'), 2, '--to must have user:password'],
      [() => copyBlobs(data, 's3://canary:canary@bucket'), 2, '--to must have no credentials'],
      [() => copySecrets(data, 'env:NOWHERE'), 2, 'the variable NOWHERE is not set'],
      [() => copySecrets(data, `${data}/`), 2, '--from and --to are the same'],
      [() => copySecrets(data, 'redis://127.0.0.1:9'), 3, 'ECONNREFUSED 127.0.0.1:9; call this again to go on'],
      [() => copyBlobs(data, 's3://tidings?endpoint=http://127.0.0.1:9'), 3, 'call this again to go on'],
      [() => copySecrets(data, 'env:KEYS', { KEYS: wrong }), 4, 'WRONGPASS'],
      [() => copyBlobs(data, 'env:BLOBS', { BLOBS: s3.url('', 'no-such') }), 4, 'there is no such bucket'],
    ];
    for (const [attempt, exit, message] of attempts) {
      const { code, stdout, stderr } = await attempt();
      expect({ code, stdout, stderr }).toEqual({ code: exit, stdout: '', stderr: expect.stringContaining(message) });
      // The S3 client may warn of the version of Node above it.
      expect(stderr).toMatch(/^tidings: .*\n$(?![^])/m);
      expect(stderr).not.toMatch(/canary/);
    }
    expect(await findInFiles(redis.folder, ['recipient/ada'])).toEqual([]);
  }, 120_000);

  function run(args: readonly string[], env: Readonly<Record<string, string>>): Program {
    return new Program(process.execPath, [main, ...args], { env });
  }

  async function countIn(store: RedisKeyStore, ids: readonly string[]): Promise<number> {
    const found = await Promise.all(ids.map((id) => store.find(id)));
    return found.filter((key) => key !== undefined).length;
  }

  /** A way to Redis that lets so many scripts through, and then nothing more. */
  async function stopAtScript(count: number): Promise<{ readonly port: number; readonly stopped: Promise<void> }> {
    let scripts = 0;
    let stop: () => void;
    const stopped = new Promise<void>((resolve) => (stop = resolve));
    proxy = createServer((socket) => {
      const behind = connect(redis.port, '127.0.0.1');
      sockets.push(socket, behind);
      for (const each of [socket, behind]) each.on('error', () => undefined);
      behind.pipe(socket);
      socket.on('data', (chunk: Buffer) => {
        scripts += chunk.toString('latin1').split(/\r\neval\r\n/i).length - 1;
        if (scripts > count) stop();
        else behind.write(chunk);
      });
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    return { port: (proxy.address() as AddressInfo).port, stopped };
  }
}
