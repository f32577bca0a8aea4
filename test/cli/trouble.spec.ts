import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import type { Redriven } from '#libs/operator';
import { tidings } from './tidings.js';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server that is not Tidings; answers its URL. */
async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.each([
  [['--help'], /^Usage: tidings <command>[^]*\n {2}redrive [^]*\n {2}3 {2}the server cannot be reached/],
  [['-h'], /^Usage: tidings <command>/],
  [['--version'], /^\d+\.\d+\.\d+\n$/],
  [['send', '--help'], /^Usage: tidings send \[options\][^]*--attach <file>[^]*--url <url>/],
  [['show', '-h'], /^Usage: tidings show <id>[^]*--wait \[seconds\]/],
])('%j needs no server', async (args, output) => {
  const { code, stdout, stderr } = await tidings(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(output);
});

test.each([
  [[], /which command/],
  [['sned'], /there is no command sned/],
  [['toString'], /there is no command toString/],
  [['--json', 'parked'], /the command comes first/],
  [['show'], /<id> is missing/],
  [['show', 'a', 'b'], /unexpected argument b/],
  [['show', 'a', '--loud'], /Unknown option '--loud'/],
  [['show', 'a', '--wait=long'], /--wait must be seconds/],
  [['send', '--subject', 'a', '--text', 'b'], /--to, --recipients or --group is required/],
  [['send', '--to', 'a', '--subject', 'a', '--text', 'b', '--tag', 'c'], /--tag must look like name=value/],
  [['send', '--to', 'a', '--subject', 'a', '--text', 'b', '--attach', 'no.pdf'], /no\.pdf cannot be read \(ENOENT\)/],
  [['send', '--to', 'a', '--subject', 'a', '--text', 'b', '--attach', '.'], /\. is not a file/],
  [['consumers', '--url', 'localhost'], /the URL of the server must look like/],
  [['consumers', '--url', 'http://ada:secret@localhost'], /the URL of the server must look like/],
])('%j is a mistake', async (args, error) => {
  const { code, stdout, stderr } = await tidings(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^tidings: .*\n$/);
  expect(stderr).toMatch(error);
  expect(stderr).not.toContain('secret');
});

test('a server that is down', async () => {
  const url = await serve(() => undefined);
  server!.close();
  await once(server!, 'close');
  const { code, stdout, stderr } = await tidings(['consumers', '--url', url]);
  expect({ code, stdout, stderr }).toEqual({
    code: 3,
    stdout: '',
    stderr: `tidings: no answer from ${url}: ECONNREFUSED\n`,
  });
});

test('a server that breaks off', async () => {
  const url = await serve((request) => request.socket.destroy());
  expect((await tidings(['consumers', '--url', url])).code).toBe(3);
});

test('a server that fails', async () => {
  const url = await serve((_, response) => {
    response.writeHead(503, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify({ title: 'Not available now', status: 503, detail: 'the store\ncannot be used' }));
  });
  const { code, stderr } = await tidings(['consumers', '--url', url]);
  expect({ code, stderr }).toEqual({
    code: 5,
    stderr: 'tidings: the server has failed (503): the store cannot be used\n',
  });
});

test('a server that is not Tidings', async () => {
  const url = await serve((_, response) => response.end('<h1>Hello</h1>'));
  const { code, stderr } = await tidings(['consumers', '--url', url]);
  expect({ code, stderr }).toEqual({ code: 5, stderr: `tidings: ${url} does not answer as Tidings does\n` });
});

test('what a server says does not reach the terminal as commands', async () => {
  const parked = {
    id: '1\u001b[2J',
    consumer: 'a\nb',
    record: { type: '\u202etxet' },
    parkedAt: '\u0007',
    tries: [],
  };
  const url = await serve((_, response) => response.end(JSON.stringify({ items: [parked], nextCursor: null })));
  const { code, stdout } = await tidings(['parked', '--url', url]);
  expect(code).toBe(0);
  expect(stdout.split('\n')).toHaveLength(3);
  expect(stdout).not.toMatch(/[\u001b\u0007\u202e]/);
});

test.each([
  ['some of it', { count: 1, ids: ['a'] }, 'redriven: 1\n\na\n'],
  ['nothing of it', { count: 0, ids: [] }, 'redriven: 0\n'],
])('a redrive of which other processes have done %s', async (_, done, told) => {
  const answer: Redriven & { readonly dryRun: boolean } = { dryRun: false, ...done, pending: 2 };
  const url = await serve((_request, response) => response.writeHead(202).end(JSON.stringify(answer)));
  expect(await tidings(['redrive', '--all', '--url', url])).toEqual({
    code: 0,
    stdout: told,
    stderr: 'tidings: asked for, and not done yet by the processes that have them: 2\n',
  });
  const json = await tidings(['redrive', '--all', '--url', url, '--json']);
  expect(json).toMatchObject({ code: 0, stderr: expect.stringContaining('not done yet') });
  expect(JSON.parse(json.stdout)).toEqual(answer);
});

test('an archive that another process has not done yet', async () => {
  const url = await serve((_, response) => response.writeHead(202).end(JSON.stringify({ id: 'a', state: 'parked' })));
  expect(await tidings(['archive', 'a', '--url', url])).toEqual({
    code: 0,
    stdout: 'id     a\nstate  parked\n',
    stderr: 'tidings: asked for, and not done yet by the process that has it\n',
  });
});
