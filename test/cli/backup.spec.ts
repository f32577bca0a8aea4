import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SmtpDouble } from '#libs/testing';
import { Api, Program, startServer, temporaryFolder, type ServerProcess } from '../support/index.js';
import { tidings } from './tidings.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess | undefined;
let smtp: SmtpDouble | undefined;
const inFolder = (...path: string[]) => join(folder.path, ...path);

beforeEach(async () => {
  folder = await temporaryFolder();
  await mkdir(inFolder('data'));
});

afterEach(async () => {
  await server?.kill();
  await smtp?.close();
  [server, smtp] = [undefined, undefined];
  await folder.remove();
});

async function start(data: string, env: Readonly<Record<string, string>> = {}): Promise<Api> {
  server = await startServer(inFolder(data), env);
  return new Api(server.url);
}

interface BackupResult {
  readonly backup: string;
  readonly events: { readonly head: string; readonly records: number };
  readonly keys: { readonly keys: number };
  readonly blobs: { readonly files: number; readonly bytes: number; readonly linked: number };
}

async function backUp(...options: string[]): Promise<BackupResult> {
  const args = ['backup', '--data-dir', inFolder('data'), '--to', inFolder('backups'), '--json', ...options];
  const { code, stdout, stderr } = await tidings(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('copying the events') });
  return JSON.parse(stdout) as BackupResult;
}

function restore(from: string, data: string) {
  return tidings(['restore', '--from', from, '--data-dir', inFolder(data)]);
}

const attachment = {
  fileName: 'a.bin',
  mediaType: 'application/octet-stream',
  content: randomBytes(9_000).toString('base64'),
};

test('under load: what was accepted before the backup is there after the restore, and is finished', async () => {
  smtp = await SmtpDouble.start({ security: 'plain' });
  // Nothing gets further than to its claim before the server is killed.
  smtp.behave({ at: 'connection', wait: new Promise(() => undefined), times: 1_000 });
  const api = await start('data', { TIDINGS_SMTP_URL: smtp.url });
  const accepted: string[] = [];
  let loading = true;
  const load = Array.from({ length: 4 }, async (_, lane) => {
    for (let index = 0; loading; index += 1) {
      const name = `r-${lane}-${index}`;
      await api.putRecipient(name, `${name}@example.com`);
      const content = { subject: `For ${name}`, text: 'Hello', attachments: [attachment] };
      accepted.push(await api.notify(name, { content }));
    }
  });
  while (accepted.length < 20) await api.request('GET', '/health/live');
  const before = [...accepted];
  const made = await backUp();
  const meanwhile = accepted.length - before.length;
  loading = false;
  await Promise.all(load);
  await server!.kill();
  await smtp.close();
  expect(meanwhile).toBeGreaterThan(0);
  expect(made.blobs.files).toBeGreaterThanOrEqual(before.length);

  const { code, stdout } = await restore(made.backup, 'restored');
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(`position ${made.events.head}`) });
  smtp = await SmtpDouble.start({ security: 'plain' });
  const restored = await start('restored', { TIDINGS_SMTP_URL: smtp.url });
  const views = await Promise.all(before.map((id) => restored.finalView(id)));
  expect(new Set(views.map(({ status }) => status))).toEqual(new Set(['sent']));
  for (const { subject, recipientId } of views) expect(subject).toBe(`For ${recipientId}`);
  const [operation] = views[0]!.channels.email!.operations;
  const mail = smtp.mails.find(({ envelope }) => envelope.to.includes(operation!.to))!;
  const [received] = mail.parsed.attachments;
  expect(Buffer.from(received!.content as ArrayBuffer).toString('base64')).toBe(attachment.content);
});

test('killed at whatever moment, it leaves nothing that looks whole and is not', async () => {
  const api = await start('data');
  await api.putRecipient('ada', 'ada@example.com');
  for (let index = 0; index < 30; index += 1) {
    await api.finalView(
      await api.notify('ada', { content: { subject: 'Hello', text: 'Hello', attachments: [attachment] } }),
    );
  }
  let cutShort = 0;
  const main = fileURLToPath(new URL('../../apps/cli/main.js', import.meta.url));
  for (const moment of [/(copying the events)/, /(copying the keys)/, /(copying the blobs)/]) {
    const args = [main, 'backup', '--data-dir', inFolder('data'), '--to', inFolder('backups')];
    const program = new Program(process.execPath, args, { env: {} });
    program.process.stderr!.on('data', () => moment.test(program.stderr) && program.process.kill('SIGKILL'));
    await program.ended();
    const names = await readdir(inFolder('backups'));
    cutShort += names.filter((name) => name.startsWith('.incomplete-')).length;
    for (const name of names.filter((one) => one.startsWith('tidings-'))) {
      expect((await restore(inFolder('backups', name), `of-${name}`)).code).toBe(0);
    }
    for (const name of names.filter((one) => one.startsWith('.incomplete-'))) {
      const { code, stderr } = await restore(inFolder('backups', name), 'of-incomplete');
      expect({ code, stderr }).toEqual({ code: 7, stderr: expect.stringContaining('is not a whole backup') });
      await expect(stat(inFolder('of-incomplete'))).rejects.toThrow('ENOENT');
    }
  }
  expect(cutShort).toBeGreaterThan(0);
  const { backup } = await backUp();
  expect((await readdir(inFolder('backups'))).filter((name) => name.startsWith('.incomplete-'))).toEqual([]);
  expect((await restore(backup, 'restored')).code).toBe(0);
});

test('a restore that is killed leaves no data directory, and is done again', async () => {
  const api = await start('data');
  await api.putRecipient('ada', 'ada@example.com');
  const id = await api.notify('ada');
  await api.finalView(id);
  const { backup } = await backUp();
  await server!.stop();
  const main = fileURLToPath(new URL('../../apps/cli/main.js', import.meta.url));
  const program = new Program(
    process.execPath,
    [main, 'restore', '--from', backup, '--data-dir', inFolder('restored')],
    { env: {} },
  );
  program.process.stderr!.on(
    'data',
    () => /copying the events/.test(program.stderr) && program.process.kill('SIGKILL'),
  );
  await program.ended();
  expect(program.process.signalCode).toBe('SIGKILL');
  await expect(stat(inFolder('restored'))).rejects.toThrow('ENOENT');

  expect((await restore(backup, 'restored')).code).toBe(0);
  await expect(stat(inFolder('restored.restoring'))).rejects.toThrow('ENOENT');
  expect((await (await start('restored')).view(id)).status).toBe('sent');
});

test('a second backup shares the blobs of the first, and old ones go', async () => {
  const api = await start('data');
  await api.putRecipient('ada', 'ada@example.com');
  await api.finalView(
    await api.notify('ada', { content: { subject: 'One', text: 'Hello', attachments: [attachment] } }),
  );
  const first = await backUp();
  expect(first.blobs).toMatchObject({ linked: 0 });
  const id = await api.notify('ada', { content: { subject: 'Two', text: 'Hello', attachments: [attachment] } });
  await api.finalView(id);
  const second = await backUp('--keep', '1');
  expect(second.blobs.linked).toBe(first.blobs.files);
  expect(second.blobs.files).toBeGreaterThan(first.blobs.files);
  expect((await readdir(inFolder('backups'))).filter((name) => name.startsWith('tidings-'))).toHaveLength(1);

  await server!.stop();
  expect((await restore(second.backup, 'restored')).code).toBe(0);
  const restored = await start('restored');
  expect(await restored.view(id)).toMatchObject({ status: 'sent', subject: 'Two' });
});

test('who was erased after the backup is told, and can be erased again', async () => {
  const api = await start('data');
  await api.putRecipient('ada', 'ada@example.com');
  await api.putRecipient('bob', 'bob@example.com');
  const id = await api.notify('ada');
  await api.finalView(id);
  await api.request('DELETE', '/v1/recipients/bob');
  const { backup } = await backUp();
  const listing = ['erasures', '--since', backup, '--data-dir', inFolder('data')];
  await api.request('DELETE', '/v1/recipients/ada');
  expect(await tidings(listing)).toMatchObject({ code: 7, stderr: expect.stringContaining('is in use by process') });
  await server!.stop();
  expect(await tidings(listing)).toMatchObject({ code: 0, stdout: 'ada\n' });

  expect((await restore(backup, 'restored')).code).toBe(0);
  const restored = await start('restored');
  expect((await restored.view(id)).subject).toBe('Hello');
  const erasing = await tidings(['erase', 'ada', 'nobody at all'], { TIDINGS_URL: server!.url });
  expect(erasing).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^ada +yes\nnobody at all +there is none$/m),
  });
  expect((await restored.view(id)).subject).toBe('[erased]');
  await server!.stop();
  const none = await tidings(['erasures', '--since', backup, '--data-dir', inFolder('none')]);
  expect(none.code).toBe(7);
});

test('nothing of it is readable by others, and no key is told', async () => {
  const api = await start('data');
  await api.putRecipient('ada-canary', 'ada-canary@example.com');
  const { backup } = await backUp();
  const entries = await readdir(inFolder('backups'), { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    expect((await stat(join(entry.parentPath, entry.name))).mode & 0o077).toBe(0);
  }
  expect(await readFile(join(backup, 'backup.json'), 'utf8')).not.toContain('canary');
});
