import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { startFacade, type Facade } from '#libs/store/facade';
import { openSqliteStore, type SqliteEventStore } from '#libs/store/sqlite';
import { specNotRun, SmtpDouble } from '#libs/testing';
import { redisIsMissing, RedisServer } from '#libs/testing/redis';
import { S3Double } from '#libs/testing/s3';
import {
  Api,
  eventually,
  findInFiles,
  runServer,
  startServer,
  temporaryFolder,
  type ServerProcess,
} from '../support/index.js';

const address = 'canary.address@shared.example.com';
const displayName = 'Canary Display Name';
const text = 'A canary sings in the text.';
const fileName = 'canary-file-name.bin';
const file = 'A canary sits in the attachment.';
const canaries = [address, displayName, text, fileName, file];
const password = 'canary-password-of-redis';

interface Readiness {
  readonly status: string;
  readonly checks: Readonly<Record<string, { readonly status: string; readonly detail?: string }>>;
}

type Folder = Awaited<ReturnType<typeof temporaryFolder>>;

const missing = redisIsMissing();
if (missing !== undefined) specNotRun('roles on several machines with keys in Redis and blobs in an S3 API', missing);
else {
  describe('two processes that share nothing but an EventStoreDB, a Redis and a bucket', () => {
    let folders: readonly [events: Folder, front: Folder, back: Folder];
    let smtp: SmtpDouble;
    let redis: RedisServer;
    let s3: S3Double;
    let events: SqliteEventStore;
    let facade: Facade;
    let environment: Readonly<Record<string, string>>;
    /** The API. */
    let front: ServerProcess;
    /** All that handles records. */
    let back: ServerProcess;
    let api: Api;

    beforeAll(async () => {
      const [one, two, three] = await Promise.all([temporaryFolder(), temporaryFolder(), temporaryFolder()]);
      folders = [one, two, three];
      smtp = await SmtpDouble.start({ security: 'plain' });
      redis = await RedisServer.start(['--requirepass', password]);
      s3 = await S3Double.start();
      events = await openSqliteStore({ directory: folders[0].path });
      facade = await startFacade(events, { port: 0, writable: true, limits: { closing: 50 } });
      environment = {
        ...S3Double.credentials,
        TIDINGS_EVENTSTORE_URL: `esdb://127.0.0.1:${facade.port}?tls=false`,
        TIDINGS_KEYS_URL: redis.url.replace('//', `//:${password}@`),
        TIDINGS_BLOBS_URL: s3.url('tidings'),
        TIDINGS_SMTP_URL: smtp.url,
      };
      [front, back] = await Promise.all([
        startServer(folders[1].path, { ...environment, TIDINGS_ROLES: 'api' }),
        startHandlers(),
      ]);
      api = new Api(front.url);
    });

    afterAll(async () => {
      await Promise.all([front?.kill(), back?.kill()]);
      await facade?.close();
      await events?.close();
      await Promise.all([smtp?.close(), redis?.remove(), s3?.remove()]);
      await Promise.all((folders ?? []).map((folder) => folder.remove()));
    });

    function startHandlers(): Promise<ServerProcess> {
      return startServer(folders[2].path, { ...environment, TIDINGS_ROLES: 'bots,sagas,projectors' });
    }

    async function upload(bytes: Uint8Array): Promise<string> {
      const answer = await api.request<{ id: string }>('POST', '/v1/blobs', bytes);
      expect(answer.status).toBe(201);
      return answer.body.id;
    }

    function contentWith(blobId: string) {
      return { subject: 'A file', text, attachments: [{ fileName, mediaType: 'text/plain', blobId }] };
    }

    async function readiness(): Promise<Readiness> {
      return (await api.request<Readiness>('GET', '/health/ready')).body;
    }

    async function isReady(): Promise<true | undefined> {
      return (await readiness()).status === 'up' ? true : undefined;
    }

    test('tell of the stores, and not of their passwords', async () => {
      expect(front.output).toContain(`keys  Redis 127.0.0.1:${redis.port}`);
      expect(front.output).toContain(`blobs s3://tidings/tidings/ at 127.0.0.1:${s3.port}`);
      expect(await readiness()).toMatchObject({
        status: 'up',
        checks: { keys: { status: 'up' }, blobs: { status: 'up' } },
      });
    });

    test('deliver what the one took and the other sends, and erase it for both', async () => {
      await api.putRecipient('songbird', address, { displayName });
      const blobId = await upload(Buffer.from(file));
      const id = await api.notify('songbird', { content: contentWith(blobId) });
      expect(await api.finalView(id)).toMatchObject({ status: 'sent', subject: 'A file' });
      const mail = smtp.mails.find(({ envelope }) => envelope.to.includes(address))!;
      expect(mail.parsed.text).toContain(text);
      expect(Buffer.from(mail.parsed.attachments[0]!.content as ArrayBuffer).toString()).toBe(file);
      const pending = await api.notify('songbird', {
        content: contentWith(blobId),
        deliverAt: new Date(Date.now() + 2_000).toISOString(),
      });
      expect(await s3.files()).not.toEqual([]);

      expect((await api.request('DELETE', '/v1/recipients/songbird')).status).toBe(200);
      expect((await api.request('DELETE', `/v1/blobs/${blobId}`)).status).toBe(200);
      const mails = smtp.mails.length;
      expect(await api.finalView(pending)).toMatchObject({ status: 'failed', reason: 'recipientErased' });
      expect(smtp.mails).toHaveLength(mails);
      expect((await api.view(id)).subject).toBe('[erased]');
      expect(JSON.stringify(await api.events(id))).not.toContain('canary');
      await eventually(async () => ((await s3.files()).length === 0 ? true : undefined));
    });

    test('leave nothing in clear, anywhere', async () => {
      const places = [...folders.map(({ path }) => path), redis.folder, s3.folder];
      for (const place of places) expect(await findInFiles(place, [...canaries, password])).toEqual([]);
      for (const { output } of [front, back]) for (const canary of canaries) expect(output).not.toContain(canary);
      for (const { output } of [front, back]) expect(output).not.toContain(password);
    });

    test('answer 503 while Redis is away, give nothing up, and go on', async () => {
      await api.putRecipient('bob', 'bob@example.com');
      const scheduled = await api.notify('bob', { deliverAt: new Date(Date.now() + 1_500).toISOString() });
      await redis.kill();
      const named = `Redis at 127.0.0.1:${redis.port}`;
      // Until Redis is found to be away, there is just no answer in time.
      const down = await eventually(async () => {
        const { status, body } = await api.request<Readiness>('GET', '/health/ready');
        return status === 503 && body.checks.keys?.detail?.includes(named) ? body.checks.keys : undefined;
      });
      expect(down.status).toBe('down');
      const notification = { recipientId: 'bob', content: { subject: 'Hello', text: 'How are you?' } };
      const refused = await api.request('POST', '/v1/notifications', notification);
      expect(refused.status).toBe(503);
      expect(refused.headers.get('content-type')).toBe('application/problem+json');
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(JSON.stringify([down, refused.body])).not.toMatch(/canary|bob/);

      await redis.restart();
      await eventually(isReady);
      expect((await api.finalView(scheduled)).status).toBe('sent');
      expect((await api.finalView(await api.notify('bob'))).status).toBe('sent');
      expect((await api.request('GET', '/v1/parked')).body).toMatchObject({ items: [] });
    });

    test('answer 503 while the bucket is away, also in the middle of an upload, and go on', async () => {
      s3.trouble = (request) => (/^PUT .*partNumber=2/.test(request) ? 'reset' : undefined);
      const body = randomBytes(20_000_000);
      expect((await api.request('POST', '/v1/blobs', body)).status).toBe(503);
      s3.trouble = () => 'reset';
      const answer = await api.request('POST', '/v1/blobs', Buffer.from(file));
      expect(answer).toMatchObject({ status: 503, body: { type: '/problems/unavailable' } });
      expect((await readiness()).checks.blobs).toMatchObject({ status: 'down' });

      s3.trouble = () => undefined;
      const blobId = await upload(body);
      const deliverAt = new Date(Date.now() + 1_500).toISOString();
      const scheduled = await api.notify('bob', { content: contentWith(blobId), deliverAt });
      const before = s3.requests.length;
      s3.trouble = () => 503;
      const isAskedFor = () => s3.requests.slice(before).some((request) => request.startsWith('GET'));
      await eventually(async () => (isAskedFor() ? true : undefined));
      s3.trouble = () => undefined;
      expect((await api.finalView(scheduled)).status).toBe('sent');
      expect((await api.request('GET', '/v1/parked')).body).toMatchObject({ items: [] });
      const [attachment] = smtp.mails.at(-1)!.parsed.attachments;
      expect(Buffer.from(attachment!.content as ArrayBuffer).equals(body)).toBe(true);
    });

    test('do not start with the keys of another installation', async () => {
      await back.stop();
      const more = { ...environment, TIDINGS_KEYS_URL: `${environment['TIDINGS_KEYS_URL']}?prefix=other:` };
      const ended = await runServer(folders[2].path, [], { ...more, TIDINGS_ROLES: 'bots,sagas,projectors' });
      expect(ended).toMatchObject({ code: 1, stdout: '' });
      const line = ended.stderr.split('\n').find((each) => each.startsWith('tidings: '));
      expect(line).toContain('the personal data of this event store is sealed with keys that are kept elsewhere');
      expect(ended.stderr).not.toContain(password);
      back = await startHandlers();
      expect((await api.finalView(await api.notify('bob'))).status).toBe('sent');
    });

    test('do not start with a password that Redis does not know, and say so in one line', async () => {
      const folder = await temporaryFolder();
      try {
        const wrong = { ...environment, TIDINGS_KEYS_URL: redis.url.replace('//', '//:canary-wrong@') };
        const ended = await runServer(folder.path, [], wrong);
        expect(ended).toMatchObject({ code: 1, stdout: '' });
        expect(ended.stderr).toMatch(/^tidings: Redis at 127\.0\.0\.1:\d+: WRONGPASS/m);
        expect(ended.stderr).not.toContain('canary');
      } finally {
        await folder.remove();
      }
    });

    test('start while Redis and the bucket are away, say what is missing, and work once they are there', async () => {
      await Promise.all([front.stop(), back.stop()]);
      await redis.kill();
      s3.trouble = () => 'reset';
      [front, back] = await Promise.all([
        startServer(folders[1].path, { ...environment, TIDINGS_ROLES: 'api' }),
        startHandlers(),
      ]);
      api = new Api(front.url);
      const { status, body } = await api.request<Readiness>('GET', '/health/ready');
      expect(status).toBe(503);
      expect(body.checks).toMatchObject({
        keys: { status: 'down', detail: expect.stringContaining(`Redis at 127.0.0.1:${redis.port}`) },
        blobs: { status: 'down', detail: expect.stringContaining('blobs in s3://tidings/tidings/') },
      });
      expect((await api.request('GET', '/health/live')).status).toBe(200);
      const channels = { email: { address: 'eve@example.com' } };
      const requests = [
        api.request('PUT', '/v1/recipients/eve', { displayName: 'Eve', channels }),
        api.request('POST', '/v1/notifications', { recipientId: 'bob', content: { subject: 'Hello', text } }),
        api.request('GET', '/v1/notifications?address=bob@example.com'),
        api.request('GET', '/v1/recipients/bob'),
        api.request('POST', '/v1/blobs', Buffer.from(file)),
      ];
      for (const answer of await Promise.all(requests)) {
        expect(answer.status).toBe(503);
        expect(answer.headers.get('content-type')).toContain('application/problem+json');
      }
      for (const { output } of [front, back]) {
        expect(output).toContain('the key store does not answer; it is tried again');
        expect(output).not.toContain(password);
      }

      await redis.restart();
      s3.trouble = () => undefined;
      await eventually(isReady);
      await api.putRecipient('eve', 'eve@example.com');
      const blobId = await upload(Buffer.from(file));
      expect((await api.finalView(await api.notify('eve', { content: contentWith(blobId) }))).status).toBe('sent');
      const listed = await eventually(async () => {
        const answer = await api.request<{ items: unknown[] }>('GET', '/v1/notifications?address=eve@example.com');
        return answer.status === 200 && answer.body.items.length > 0 ? answer.body.items : undefined;
      });
      expect(listed).toHaveLength(1);
      expect(front.output).toContain('the key store answers');
    });

    test('end with one line where Redis is away at the start, and then does not know them', async () => {
      await back.stop();
      await redis.kill();
      const url = redis.url.replace('//', '//:canary-wrong@');
      const server = await startServer(folders[2].path, {
        ...environment,
        TIDINGS_KEYS_URL: url,
        TIDINGS_ROLES: 'bots,sagas,projectors',
      });
      await redis.restart();
      await eventually(async () => (/^tidings: Redis at .*WRONGPASS/m.test(server.output) ? true : undefined));
      expect(server.output).not.toContain('canary');
      await server.kill();
      back = await startHandlers();
    });
  });
}
