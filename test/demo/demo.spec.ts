import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { BroadcastView } from '#libs/broadcast';
import type { NotificationView } from '#libs/notification';
import type { ParkedPage } from '#libs/operator';
import { SmtpDouble } from '#libs/testing';
import { Api, eventually, Program, startServer, temporaryFolder, type Environment } from '../support/index.js';

const main = fileURLToPath(new URL('../../apps/demo/main.js', import.meta.url));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let demo: Program;

/** In milliseconds: it takes twenty seconds until the mail server goes away. */
const patience = 120_000;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  if (demo.process.exitCode === null) demo.process.kill('SIGKILL');
  await demo.ended();
  await folder.remove();
});

function start(args: readonly string[], env: Environment = {}): Program {
  demo = new Program(process.execPath, [main, ...args], { cwd: folder.path, env: { TMPDIR: folder.path, ...env } });
  return demo;
}

/** A notification that the lists show under this status. */
function listed(api: Api, status: string, fits: (view: NotificationView) => boolean = () => true) {
  return eventually(async () => {
    const path = `/v1/notifications?status=${status}&tag=demo:scene&limit=200`;
    // Right after the start the lists may not be there yet.
    return (await api.request<{ items?: NotificationView[] }>('GET', path)).body.items?.find(fits);
  });
}

describe('with a server of its own', () => {
  test(
    'everything that there is comes to be seen, and nothing is left',
    async () => {
      start(['--minutes', '30'], { PORT: '0' });
      const api = new Api(await demo.prints(/^Tidings is at (\S+):/m));
      for (const status of ['sent', 'partiallySent', 'failed', 'optedOut', 'cancelled', 'expired', 'scheduled']) {
        expect(await listed(api, status)).toMatchObject({ status });
      }
      const operations = ({ channels }: NotificationView) => Object.values(channels).flatMap((one) => one.operations);
      const retried = await listed(api, 'sent', (view) => operations(view).some(({ attempts }) => attempts === 3));
      expect(retried.subject).toBe('Patience');
      const refused = await listed(api, 'failed', (view) => operations(view).some(({ error }) => error?.code === 550));
      expect(refused.reason).toBe('couldNotSend');
      const escalated = await listed(api, 'failed', ({ escalation }) => escalation !== null);
      expect(escalated.escalation).not.toBeNull();

      const parked = await eventually(async () => {
        const { items } = (await api.request<ParkedPage>('GET', '/v1/parked')).body;
        return items.length > 0 ? items : undefined;
      });
      expect(parked).toMatchObject([{ consumer: 'email.send-bot' }]);

      const broadcast = await demo.prints(/a broadcast to everybody: \S+(\/v1\/broadcasts\/\S+)$/m);
      await eventually(async () => {
        const { counts } = (await api.request<BroadcastView>('GET', broadcast)).body;
        return counts.sent > 0 && counts.failed > 0 && counts.optedOut > 0 ? true : undefined;
      });
      await eventually(async () => {
        const path = '/v1/notifications?tag=demo:traffic';
        return (await api.request<{ items: unknown[] }>('GET', path)).body.items.length > 0 ? true : undefined;
      });
      await demo.prints(/(the mail server is away)/);

      demo.process.kill('SIGINT');
      expect(await demo.ended()).toMatchObject({ code: 0, stderr: '' });
      expect(demo.stdout).toMatch(/the end\n$/);
      expect(await readdir(folder.path)).toEqual([]);
    },
    patience,
  );

  test('it ends by itself', async () => {
    expect(await start(['--minutes', '0.1'], { PORT: '0' }).ended()).toMatchObject({ code: 0, stderr: '' });
    expect(demo.stdout).toContain('for 0.1 minutes');
    expect(await readdir(folder.path)).toEqual([]);
  });
});

describe('with a server that runs', () => {
  let own: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    own = await temporaryFolder();
  });
  afterAll(() => own?.remove());

  test('a sandbox shows what it can, and it is said what it cannot', async () => {
    const server = await startServer(own.path);
    expect(await start(['--minutes', '0.1'], { TIDINGS_URL: server.url }).ended()).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(demo.stdout).toContain('Not to be seen there');
    const api = new Api(server.url);
    for (const status of ['sent', 'partiallySent', 'failed', 'optedOut', 'cancelled', 'expired', 'scheduled']) {
      expect(await listed(api, status)).toMatchObject({ status });
    }
    await server.stop();
  });

  test('one that sends is left alone', async () => {
    const smtp = await SmtpDouble.start({ security: 'plain' });
    const server = await startServer(own.path, { TIDINGS_SMTP_URL: smtp.url });
    const { code, stdout, stderr } = await start(['--url', server.url]).ended();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^tidings: the server at \S+ is no sandbox/);
    expect(smtp.mails.map(({ envelope }) => envelope.to)).toEqual([['nobody@tidings-demo.invalid']]);
    await server.stop();
    await smtp.close();
  });
});

test.each([
  [['--minutes', '0'], '--minutes must be a number from 0.1 to 1440'],
  [['--url', 'ftp://example.com'], 'the URL of the server must look like http://127.0.0.1:3000'],
  [['--url', 'http://127.0.0.1:9'], 'no answer from http://127.0.0.1:9: '],
  [['now'], 'unknown argument'],
])('%j is refused', async (args, message) => {
  const { code, stderr } = await start(args).ended();
  expect(code).toBe(1);
  expect(stderr).toMatch(/^tidings: .*\n$/);
  expect(stderr).toContain(message);
});
