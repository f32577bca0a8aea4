import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import PostalMime from 'postal-mime';
import type { NotificationView } from '#libs/notification';
import { useServer } from '../support/index.js';
import { rowsOf, tidings } from './tidings.js';

const server = useServer();
const { api } = server;

beforeAll(() => api.putRecipient('ada', 'ada@example.com'));

function run(...args: string[]) {
  return tidings(args, { TIDINGS_URL: server.url });
}

const good = ['send', '--to', 'ada', '--subject', 'Hello', '--text', 'How are you?'];

async function mailOf(view: NotificationView): Promise<string> {
  return (await fetch(api.url + view.channels.email!.operations[0]!.message!)).text();
}

describe('send', () => {
  test('says under which id it was accepted', async () => {
    const { code, stdout, stderr } = await run(...good);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [, id] = /^id +(\S+)\nstatus +accepted\n$/.exec(stdout)!;
    expect((await api.finalView(id!)).status).toBe('sent');
  });

  test('sends all that it is told', async () => {
    const html = join(server.dataDir, 'hello.html');
    const file = join(server.dataDir, 'invoice.pdf');
    await writeFile(html, '<b>How are you?</b>');
    await writeFile(file, '%PDF-1.7');
    const { code, stdout } = await run(
      ...[...good, '--html-file', html, '--attach', file, '--category', 'billing', '--severity', 'warning'],
      ...['--tag', 'invoice=7', '--tag', 'formula=a=b', '--wait', '--json'],
    );
    expect(code).toBe(0);
    const view = JSON.parse(stdout) as NotificationView;
    expect(view).toMatchObject({
      status: 'sent',
      category: 'billing',
      severity: 'warning',
      tags: { invoice: '7', formula: 'a=b' },
    });
    expect(view).toEqual(await api.view(view.id));
    const mail = await mailOf(view);
    expect(mail).toContain('text/html');
    expect(mail).toMatch(/application\/pdf[^]*invoice\.pdf[^]*JVBERi0xLjc=/);
  });

  test('uploads large files first', async () => {
    const [small, large] = [join(server.dataDir, 'small.txt'), join(server.dataDir, 'large.bin')];
    await writeFile(small, 'small');
    await writeFile(large, Buffer.alloc(6_000_000, 7));
    const { code, stdout } = await run(...good, '--attach', large, '--attach', small, '--wait', '--json');
    expect(code).toBe(0);
    const mail = await PostalMime.parse(await mailOf(JSON.parse(stdout) as NotificationView));
    expect(mail.attachments).toMatchObject([{ filename: 'large.bin' }, { filename: 'small.txt' }]);
    expect((mail.attachments[0]!.content as ArrayBuffer).byteLength).toBe(6_000_000);
  });

  test('is safe to repeat with an idempotency key', async () => {
    const args = [...good, '--idempotency-key', 'k1', '--json'];
    const [first, second] = [await run(...args), await run(...args)];
    expect(second.stdout).toBe(first.stdout);
  });

  test('tells by its exit code what became of it', async () => {
    const nobody = ['send', '--to', 'nobody', '--subject', 'Hello', '--text', 'Anybody there?', '--wait', '20'];
    const { code, stdout, stderr } = await run(...nobody);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^status +failed$/m);
    expect(stdout).toMatch(/^reason +unknownRecipient$/m);
    expect(stderr).toMatch(/^tidings: accepted as \S+\n$/);
  });

  test('ends when the wait is over', async () => {
    await run('pause', 'notification.send-bot');
    const { code, stdout } = await run(...good, '--wait=0.2');
    await run('resume', 'notification.send-bot');
    expect(code).toBe(6);
    expect(stdout).toMatch(/^status +requested$/m);
  });
});

describe('send to several', () => {
  const text = ['--subject', 'Hello all', '--text', 'How are you?'];

  test('tells how it ended for all of them', async () => {
    const { code, stdout, stderr } = await run('send', '--recipients', 'ada, nobody', ...text, '--wait', '20');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^status +completed$/m);
    expect(stdout).toMatch(/^recipients +2$/m);
    expect(stdout).toMatch(/^counts +1 sent, 1 failed$/m);
    expect(stderr).toMatch(/^tidings: accepted as \S+\n$/);
  });

  test('to a group', async () => {
    await api.request('PUT', '/v1/groups/team', {});
    await api.request('POST', '/v1/groups/team/members', { add: ['ada'] });
    const { code, stdout } = await run('send', '--group', 'team', ...text, '--wait=20', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'completed', groupId: 'team', counts: { sent: 1 } });
  });

  test('or to one, but not both', async () => {
    const { code, stderr } = await run('send', '--group', 'team', '--to', 'ada', ...text);
    expect(code).toBe(2);
    expect(stderr).toMatch(/only one of --to, --recipients and --group may be given/);
  });
});

test('cancel keeps a notification from being sent', async () => {
  const id = await api.notify('ada', { deliverAt: '2999-01-01T00:00:00Z', expiresAt: '2999-01-02T00:00:00Z' });
  const { code, stdout } = await run('cancel', id);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^status +cancelling$/m);
  expect((await api.finalView(id)).status).toBe('cancelled');
  const { id: sent } = await api.finalView(await api.notify('ada'));
  const refused = await run('cancel', sent);
  expect(refused).toEqual({ code: 4, stdout: '', stderr: 'tidings: refused (409): it has ended already: sent\n' });
});

test('show tells what became of a notification', async () => {
  const { id } = await api.finalView(await api.notify('ada', { tags: { invoice: '7' } }));
  const { code, stdout } = await run('show', id);
  expect(code).toBe(0);
  const [details, table] = stdout.split('\n\n');
  expect(details).toMatch(/^recipient +ada$/m);
  expect(details).toMatch(/^tags +invoice=7$/m);
  expect(rowsOf(table!)).toEqual([['email', 'succeeded', 'ada@example.com', '1', expect.any(String), '-']]);
  expect((await run('show', id, '--json')).stdout).toBe(`${JSON.stringify(await api.view(id))}\n`);
});

test('events lists every record', async () => {
  const { id } = await api.finalView(await api.notify('ada'));
  const { code, stdout } = await run('events', id);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ *POSITION +AT +TYPE +STREAM +REVISION\n/);
  const types = rowsOf(stdout).map((cells) => cells.find((cell) => cell.endsWith('.v1')));
  expect(types).toEqual((await api.events(id)).map(({ type }) => type));
  const json = JSON.parse((await run('events', id, '--json')).stdout) as unknown;
  expect(json).toEqual({ items: await api.events(id) });
});

test('what the server refuses is said in one line, with every field that is wrong', async () => {
  const { code, stdout, stderr } = await run('send', '--to', 'a/b', '--subject', 'a\nb', '--text', 'x');
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  expect(stderr).toMatch(/^tidings: refused \(422\): content\.subject: .*; recipientId: .*\n$/);
  const unknown = await run('show', '0197a000-0000-7000-8000-000000000000');
  expect(unknown).toEqual({ code: 4, stdout: '', stderr: 'tidings: refused (404): there is no such notification\n' });
});

test('--url wins over TIDINGS_URL', async () => {
  expect((await run('consumers', '--url', 'http://127.0.0.1:1')).code).toBe(3);
  expect((await tidings(['consumers', '--url', server.url], { TIDINGS_URL: 'http://127.0.0.1:1' })).code).toBe(0);
});
