import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { FolderBlobStore, SealedBlobs, type BlobStore } from '#libs/blob';
import { createHttpApp } from '#libs/http';
import { keyOf } from '#libs/kernel';
import {
  defineTopology,
  openClient,
  Runtime,
  runtimeAgendas,
  runtimeTimers,
  stream,
  timersReactor,
} from '#libs/runtime';
import { StoreUnavailable } from '#libs/store/port';
import { eventually, TemporaryStore, withFaults, type Faults } from '#libs/testing';
import { MemoryKeyStore, Vault } from '#libs/vault';
import { uploadEvents, uploadOwner } from '../event/upload.js';
import { uploadExpiryReactor } from '../handlers/expiry.reactor.js';
import { UploadModule } from '../upload.module.js';
import { uploadClient } from './upload-client.js';
import { uploadLifetime, Uploads, type UploadServices, type UploadView } from './uploads.js';

const topology = defineTopology([
  stream(uploadEvents, {
    producers: [uploadClient, uploadExpiryReactor],
    consumers: [uploadClient, uploadExpiryReactor],
  }),
  stream(runtimeTimers, {
    producers: [uploadClient, timersReactor],
    consumers: [timersReactor, uploadExpiryReactor],
  }),
  stream(runtimeAgendas, { producers: [timersReactor], consumers: [timersReactor] }),
]);
const limit = 40_000_000;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let temporary: TemporaryStore;
let directory: string;
let faults: Faults;
let services: UploadServices;
/** The sizes of what was handed to the store for blobs, and what was not stored yet of what had come, at most. */
let largestChunk: number;
let largestBacklog: number;
let received: () => number;

/** The store for blobs, watched. */
function watched(store: BlobStore): BlobStore {
  async function* watch(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let stored = 0;
    for await (const chunk of bytes) {
      stored += chunk.length;
      largestChunk = Math.max(largestChunk, chunk.length);
      largestBacklog = Math.max(largestBacklog, received() - stored);
      yield chunk;
    }
  }
  return {
    put: (keyId, id, bytes) => store.put(keyId, id, watch(bytes)),
    get: (keyId, id) => store.get(keyId, id),
    delete: (keyId, id) => store.delete(keyId, id),
    deleteAll: (keyId) => store.deleteAll(keyId),
  };
}

beforeEach(async () => {
  temporary = await TemporaryStore.open();
  directory = await mkdtemp(join(tmpdir(), 'tidings-upload-'));
  faults = {};
  [largestChunk, largestBacklog, received] = [0, 0, () => 0];
  const vault = new Vault(new MemoryKeyStore());
  const blobs = new SealedBlobs(vault, watched(await FolderBlobStore.open(directory)));
  const client = openClient(withFaults(temporary.store, faults), uploadClient);
  services = { client, vault, blobs, uploadLimit: limit };
});
afterEach(async () => {
  await temporary.remove();
  await rm(directory, { recursive: true });
});

async function files(): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

async function recordsOf(category: string): Promise<{ key: string; type: string }[]> {
  const records: { key: string; type: string }[] = [];
  for await (const record of temporary.store.readAll({ filter: { categories: [category] } }))
    records.push({ key: keyOf(record.stream), type: record.type });
  return records;
}

/** Neither file nor key nor event, and no timer that is still to fire. */
async function expectNothingLeft(): Promise<void> {
  expect(await files()).toEqual([]);
  expect(await recordsOf('upload.event')).toEqual([]);
  const timers = await recordsOf('runtime.timer');
  for (const { key } of timers) {
    const [id] = key.split('.');
    expect(await services.vault.keyIdsOf(uploadOwner(id!))).toEqual([]);
    expect(timers.filter((one) => one.key === key).map(({ type }) => type)).toEqual([
      'runtime.timer-scheduled.v1',
      'runtime.timer-cancelled.v1',
    ]);
  }
}

describe('over HTTP', () => {
  let app: NestFastifyApplication;
  let url: string;
  beforeEach(async () => {
    app = await createHttpApp(UploadModule.with(services), { logger: false });
    const sockets: Socket[] = [];
    (app.getHttpServer() as NodeJS.EventEmitter).on('connection', (socket: Socket) => sockets.push(socket));
    received = () => sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
    await app.listen({ host: '127.0.0.1', port: 0 });
    url = `${await app.getUrl()}/v1/blobs`;
  });
  afterEach(() => app.close());

  async function post(
    body: RequestInit['body'] | AsyncIterable<Uint8Array>,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return fetch(url, { method: 'POST', body: body as RequestInit['body'], headers, duplex: 'half' } as RequestInit);
  }

  test.each([
    ['application/octet-stream'],
    ['application/json'],
    ['application/json; charset=utf-8'],
    ['text/plain;charset=UTF-8'],
    ['image/png'],
    ['nonsense'],
    [undefined],
  ])('takes a body of type %s as it is', async (type) => {
    const body = Buffer.from('{"not": "JSON');
    const before = Date.now();
    const answer = await post(body, type === undefined ? {} : { 'content-type': type });
    expect(answer.status).toBe(201);
    const view = (await answer.json()) as UploadView;
    expect(view).toEqual({
      id: expect.any(String),
      size: body.length,
      sha256: sha256(body),
      expiresAt: expect.stringMatching(/Z$/),
    });
    expect(Date.parse(view.expiresAt)).toBeGreaterThanOrEqual(before + uploadLifetime);
    expect(Date.parse(view.expiresAt)).toBeLessThanOrEqual(Date.now() + uploadLifetime);
    expect(answer.headers.get('location')).toBe(`/v1/blobs/${view.id}`);
    const read = await fetch(new URL(answer.headers.get('location')!, url));
    expect(await read.json()).toEqual(view);
  });

  test('a large body is stored as it comes, and never held as a whole', async () => {
    const chunk = randomBytes(65_536);
    const chunks = 480;
    const hash = createHash('sha256');
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < chunks; sent += 1) {
        hash.update(chunk);
        yield chunk;
      }
    }
    const answer = await post(body());
    expect(answer.status).toBe(201);
    const { size, sha256: found } = (await answer.json()) as UploadView;
    expect(size).toBe(chunks * chunk.length);
    expect(found).toBe(hash.digest('hex'));
    expect(largestChunk).toBeLessThanOrEqual(65_536 + 16);
    expect(largestBacklog).toBeLessThan(1_000_000);
  });

  test('a body over the limit is a 413, whether it says so or not, and nothing is left', async () => {
    const chunk = Buffer.alloc(1_000_000);
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent <= limit; sent += chunk.length) yield chunk;
    }
    for (const one of [body(), Buffer.alloc(limit + 1)]) {
      const answer = await post(one);
      expect(answer.status).toBe(413);
      expect(await answer.json()).toMatchObject({ type: '/problems/payload-too-large' });
    }
    await expectNothingLeft();
    expect((await post(Buffer.alloc(limit))).status).toBe(201);
  });

  test.each<[string, RequestInit['body'], Record<string, string>]>([
    ['no body', undefined, {}],
    ['an empty body', '', { 'content-type': 'application/octet-stream' }],
    ['an empty JSON body', '', { 'content-type': 'application/json' }],
  ])('%s is a 422, and nothing is left', async (_, body, headers) => {
    const answer = await post(body, headers);
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ errors: [{ path: '' }] });
    await expectNothingLeft();
    expect(await recordsOf('runtime.timer')).toEqual([]);
  });

  test('a connection that is cut leaves nothing', async () => {
    const { port } = new URL(url);
    const request = httpRequest({ port, path: '/v1/blobs', method: 'POST', headers: { 'content-length': 1_000_000 } });
    request.on('error', () => {});
    request.write(Buffer.alloc(300_000));
    await eventually(() => received() > 300_000 && largestChunk > 0);
    request.destroy();
    await eventually(async () => (await recordsOf('runtime.timer')).length === 2);
    await expectNothingLeft();
  });

  test('is removed when it is asked for, with its key, and repeated that answers the same', async () => {
    const { id } = (await (await post('hello')).json()) as UploadView;
    for (let times = 0; times < 2; times += 1) {
      const answer = await fetch(`${url}/${id}`, { method: 'DELETE' });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ id, removed: true });
      expect((await fetch(`${url}/${id}`)).status).toBe(404);
      expect(await files()).toEqual([]);
      expect(await services.vault.keyIdsOf(uploadOwner(id))).toEqual([]);
    }
  });

  test.each(['GET', 'DELETE'])('%s of one that never was is a 404', async (method) => {
    for (const id of ['0197a000-0000-7000-8000-000000000000', 'nonsense']) {
      const answer = await fetch(`${url}/${id}`, { method });
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ type: '/problems/not-found' });
    }
  });
});

describe('expiry', () => {
  const start = 1_800_000_000_000;
  const content = 'canary';
  let now: number;
  let runtime: Runtime<unknown>;
  const uploads = () => new Uploads(services);

  async function run(): Promise<Runtime<unknown>> {
    const started = new Runtime<unknown>({
      store: temporary.store,
      topology: topology as never,
      services,
      roles: new Set(['reactor']),
      log: { failed: () => {}, stopped: () => {} },
      now: () => now,
    });
    await started.start();
    return started;
  }

  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(content);
  }

  beforeEach(async () => {
    now = start;
    runtime = await run();
  });
  afterEach(() => runtime.drain());

  async function expectRemoved(id: string): Promise<void> {
    await eventually(
      async () => (await files()).length === 0 && (await services.vault.keyIdsOf(uploadOwner(id))).length === 0,
    );
  }

  test('an upload is gone when its time is over, and not before', async () => {
    const { id } = await uploads().store(bytes(), start);
    now = start + uploadLifetime - 1;
    expect(await uploads().get(id, now)).toMatchObject({ id, size: content.length });
    now += 1;
    expect(await uploads().get(id, now)).toBeUndefined();
    await expectRemoved(id);
    await eventually(async () => (await recordsOf('upload.event')).length === 2);
    expect((await recordsOf('upload.event')).map(({ type }) => type)).toEqual([
      'upload.stored.v1',
      'upload.removed.v1',
    ]);
  });

  test('also when that is while nothing runs', async () => {
    const { id } = await uploads().store(bytes(), start);
    await runtime.drain();
    now = start + uploadLifetime;
    expect(await files()).toHaveLength(1);
    runtime = await run();
    await expectRemoved(id);
  });

  test('what a process that was killed before the event has left is removed, too', async () => {
    faults.beforeAppend = ([stream]) => {
      if (stream?.startsWith('upload.event-')) throw new StoreUnavailable('killed');
    };
    await expect(uploads().store(bytes(), start)).rejects.toThrow(StoreUnavailable);
    expect(await files()).toHaveLength(1);
    const [timer] = await recordsOf('runtime.timer');
    now = start + uploadLifetime;
    await expectRemoved(timer!.key.split('.')[0]!);
    expect(await recordsOf('upload.event')).toEqual([]);
  });

  test('a removal that was cut short after its event is finished', async () => {
    const { id } = await uploads().store(bytes(), start);
    const { blobs } = services;
    const broken = Object.assign(Object.create(blobs) as SealedBlobs, {
      deleteAll: () => Promise.reject(new Error('killed')),
    });
    await expect(new Uploads({ ...services, blobs: broken }).remove(id)).rejects.toThrow('killed');
    await expectRemoved(id);
  });
});
