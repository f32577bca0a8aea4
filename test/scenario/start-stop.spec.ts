import { beforeEach, describe, expect, test } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import {
  eventsAreElsewhere,
  eventually,
  runServer,
  startServer,
  temporaryFolder,
  useServer,
} from '../support/index.js';

const server = useServer({ smtp: true, perTest: true, start: false });
const { api } = server;

describe('a running server', () => {
  beforeEach(async () => {
    await server.start();
    await api.putRecipient('ada', 'ada@example.com');
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: finishes requests and mails under way, exits with 0',
    async (signal) => {
      let letGo!: () => void;
      server.smtp.behave({ at: 'data', wait: new Promise<void>((resolve) => (letGo = resolve)) });
      const ids = await Promise.all(Array.from({ length: 8 }, () => api.notify('ada')));
      await eventually(async () => {
        const views = await Promise.all(ids.map((id) => api.view(id)));
        return views.some(({ channels }) => channels.email?.operations[0]?.status === 'sending') ? true : undefined;
      });
      const asked = Array.from({ length: 20 }, () => api.notify('ada').catch(() => undefined));
      const waiting = api.request('GET', `/v1/notifications/${ids[0]}?wait=60`);
      ids.push(await asked[0]!.then((id) => id!));
      const stopped = server.stop(signal);
      await eventually(async () => (server.output.includes('finishing what is under way') ? true : undefined));
      letGo();
      await stopped;
      expect((await waiting).status).toBe(200);
      ids.push(...(await Promise.all(asked.slice(1))).filter((id) => id !== undefined));

      await server.start();
      for (const id of ids) {
        const view = await api.finalView(id);
        expect(view.status).toBe('sent');
        expect(view.channels.email!.operations[0]).toMatchObject({ attempts: 1, inDoubt: false });
      }
      expect(server.smtp.mails).toHaveLength(ids.length);
      expect(new Set(server.smtp.mails.map(({ parsed }) => parsed.messageId)).size).toBe(ids.length);
    },
  );

  test('a request that waits is answered when the server stops', async () => {
    const id = await api.notify('ada', { deliverAt: new Date(Date.now() + 600_000).toISOString() });
    await eventually(async () => ((await api.view(id)).status === 'scheduled' ? true : undefined));
    const waiting = api.request('GET', `/v1/notifications/${id}?wait=60`);
    // Its own connection has been served by then, so the request before it has arrived.
    await api.view(id);
    await server.stop();
    expect(await waiting).toMatchObject({ status: 200, body: { id, status: 'scheduled' } });
  });

  test('started again, everything is there, byte for byte', async () => {
    const id = await api.notify('ada', { tags: { invoice: '7' } });
    await api.finalView(id);
    const paths = [`/v1/notifications/${id}`, `/v1/notifications/${id}/events`, '/v1/recipients/ada'];
    const read = () => Promise.all(paths.map(async (path) => (await api.request('GET', path)).body));
    const before = await read();
    await server.restart();
    expect(await read()).toEqual(before);
  });

  test('killed, it starts again by itself and goes on', async () => {
    const id = await api.notify('ada');
    await server.kill();
    await server.start();
    expect((await api.finalView(id)).status).toBe('sent');
    expect((await api.request('GET', '/health/ready')).status).toBe(200);
  });

  test('a second server on the same data directory is refused, and the first one unharmed', async () => {
    const second = await runServer(server.dataDir, []);
    expect(second.code).toBe(1);
    expect(second.stdout).toBe('');
    expect(second.stderr).toMatch(/^tidings: .*\n$/);
    expect(second.stderr).toContain(`${server.dataDir} is in use`);
    expect((await api.finalView(await api.notify('ada'))).status).toBe('sent');
  });

  test('a second server on the same port is refused, and leaves its data directory to the next one', async () => {
    const other = await temporaryFolder();
    try {
      const second = await runServer(other.path, [], { PORT: new URL(server.url).port });
      expect(second.code).toBe(1);
      expect(second.stderr).toMatch(/^tidings: .*EADDRINUSE.*$/m);
      await (await startServer(other.path)).stop();
    } finally {
      await other.remove();
    }
  });
});

describe('a setting that cannot be used stops the start with one line', () => {
  test.each([
    ['PORT', { PORT: 'three thousand' }, 'PORT must be a whole number from 0 to 65535 (it is "three thousand")'],
    ['TIDINGS_SMTP_TIMEOUT', { TIDINGS_SMTP_TIMEOUT: '0' }, 'TIDINGS_SMTP_TIMEOUT must be'],
    ['TIDINGS_SMTP_CA', { TIDINGS_SMTP_CA: '/nonexistent.pem' }, 'TIDINGS_SMTP_CA '],
    ['an unknown one', { TIDINGS_SMPT_URL: 'x' }, 'TIDINGS_SMPT_URL is not a setting: did you mean TIDINGS_SMTP_URL?'],
    ['HOST beyond this machine', { HOST: '0.0.0.0' }, 'HOST must be a loopback address'],
  ] as const)('%s', async (_, env, message) => {
    const { code, stdout, stderr } = await runServer(server.dataDir, [], env);
    expect(code).toBe(78);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^tidings: [^\n]+\n$/);
    expect(stderr).toContain(message);
    expect(await readdir(server.dataDir)).toEqual([]);
  });

  test('TIDINGS_SMTP_URL, without showing the password', async () => {
    const env = { TIDINGS_SMTP_URL: 'http://user:secret@mail.example.com' };
    const { code, stderr } = await runServer(server.dataDir, [], env);
    expect(code).toBe(78);
    expect(stderr).toMatch(/^tidings: TIDINGS_SMTP_URL must [^\n]+\n$/);
    expect(stderr).not.toContain('secret');
  });
});

test('--help names every setting, and starts nothing', async () => {
  const { code, stdout, stderr } = await runServer(server.dataDir, ['--help'], { PORT: 'malformed' });
  expect(code).toBe(0);
  expect(stderr).toBe('');
  for (const name of ['PORT', 'HOST', 'TIDINGS_DATA_DIR', 'TIDINGS_SMTP_URL', 'TIDINGS_MAIL_FROM']) {
    expect(stdout).toContain(name);
  }
  expect(await readdir(server.dataDir)).toEqual([]);
});

test('an unknown argument is refused', async () => {
  const { code, stderr } = await runServer(server.dataDir, ['--port=1']);
  expect(code).toBe(78);
  expect(stderr).toMatch(/^tidings: unknown argument/);
});

// Elsewhere it takes keys and blobs that several machines share: shared-stores.spec has that.
if (!eventsAreElsewhere)
  test('a process without the API says how it fares, and lets itself be operated', async () => {
    await server.start({ TIDINGS_ROLES: 'bots' });
    const statusOf = async (method: string, path: string) => (await api.request(method, path)).status;
    expect(await statusOf('GET', '/health/live')).toBe(200);
    expect(await statusOf('GET', '/health/ready')).toBe(200);
    expect((await api.request<{ items: { name: string }[] }>('GET', '/v1/consumers')).body.items).toContainEqual(
      expect.objectContaining({ name: 'email.send-bot', state: 'running' }),
    );
    expect(await statusOf('POST', '/v1/consumers/email.send-bot:pause')).toBe(200);
    expect(await (await fetch(`${server.url}/metrics`)).text()).toContain('consumer="email.send-bot"');
    for (const path of ['/v1/notifications', '/v1/recipients/ada', '/v1/events', '/']) {
      expect({ path, status: await statusOf('GET', path) }).toEqual({ path, status: 404 });
    }
    expect(server.output).toContain('API   not in this process');
    await server.stop();
  });
