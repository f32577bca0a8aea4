import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Module,
  Param,
  Post,
  Put,
  Query,
  Req,
  type LoggerService,
} from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { IsOptional, IsString, ValidateNested } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { Refused } from '#libs/kernel';
import { StoreUnavailable, WrongExpectedRevision } from '#libs/store/port';
import { IsId, IsTags, Type } from '#libs/validation';
import {
  createHttpApp,
  type HttpAppOptions,
  limitParameter,
  preconditionFailed,
  readStreamedBody,
  revisionOf,
  StreamedBody,
  validated,
  verb,
} from './index.js';

class Content {
  @IsString() subject!: string;
}

class Note {
  @IsId() recipientId!: string;
  @ValidateNested() @Type(() => Content) content!: Content;
  @IsOptional() @IsTags() tags?: Record<string, string>;
}

const thrown: Record<string, () => Error> = {
  problem: () => preconditionFailed('it is at 5'),
  refused: () => new Refused('already-sent', 'it has been sent'),
  revision: () => new WrongExpectedRevision('secret.event-1', 5n, 6n),
  store: () => new StoreUnavailable('disk full at /secret'),
  unknown: () => new Error('secret'),
};

/** What a request waits for, and that it has begun to. */
const gate = { open: (): void => {}, begun: (): void => {} };

@Controller('v1')
class NotesController {
  @Post('notes')
  @HttpCode(202)
  post(@Body(validated(Note)) note: Note): unknown {
    return { posted: note };
  }
  @Post(verb('notes', 'batch'))
  batch(): unknown {
    return { verb: 'batch' };
  }
  @Post(verb('notes/:id', 'cancel'))
  @HttpCode(202)
  cancel(@Param('id') id: string): unknown {
    return { verb: 'cancel', id };
  }
  @Get('notes/:id')
  get(@Param('id') id: string, @Query('limit') limit: unknown): unknown {
    return { id, limit: limitParameter(limit) };
  }
  @Put('notes/:id')
  put(@Headers('if-match') ifMatch: string | undefined): unknown {
    return { expected: String(revisionOf(ifMatch)) };
  }
  @Get('throw/:what')
  fail(@Param('what') what: string): never {
    throw thrown[what]!();
  }
  @Get('slow')
  async slow(): Promise<unknown> {
    await new Promise<void>((resolve) => {
      gate.open = resolve;
      gate.begun();
    });
    return { slow: true };
  }
  @Post('streamed')
  @StreamedBody()
  async streamed(@Req() request: FastifyRequest): Promise<unknown> {
    let length = 0;
    for await (const chunk of await readStreamedBody(request, 1_000)) {
      length += chunk.length;
      gate.begun();
    }
    return { length };
  }
}

@Module({ controllers: [NotesController] })
class TestModule {}

const logged: string[] = [];
const logger: LoggerService = {
  log: () => {},
  warn: (...args: unknown[]) => logged.push(args.join(' ')),
  error: (...args: unknown[]) => logged.push(JSON.stringify(args)),
};

async function start(options: HttpAppOptions = {}): Promise<{ app: NestFastifyApplication; port: number }> {
  const app = await createHttpApp(TestModule, { logger, closeGrace: 1_000, ...options });
  await app.listen(0, '127.0.0.1');
  return { app, port: (app.getHttpServer().address() as AddressInfo).port };
}

let app: NestFastifyApplication;
let port: number;
beforeAll(async () => {
  ({ app, port } = await start());
});
afterAll(async () => app.close());

const json = { 'content-type': 'application/json' };
const url = (path: string): string => `http://127.0.0.1:${port}${path}`;
const valid = '{"recipientId":"user-42","content":{"subject":"Hello"}}';

interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  errors?: { path: string; message: string }[];
  [member: string]: unknown;
}

async function problemFrom(response: Response): Promise<ProblemBody> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const body = (await response.json()) as ProblemBody;
  expect(body.status).toBe(response.status);
  expect(body.title).toEqual(expect.any(String));
  return body;
}

async function post(body: string | Buffer | null, headers: Record<string, string> = json): Promise<Response> {
  return fetch(url('/v1/notes'), { method: 'POST', headers, ...(body !== null && { body }) });
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setImmediate();
}

async function raw(bytes: string): Promise<{ head: string; body: string }> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  const [head, body] = (await text(socket)).split('\r\n\r\n');
  return { head: head!, body: body! };
}

describe('what is good', () => {
  test.each(['application/json', 'application/json; charset=utf-8', 'application/vnd.tidings.v1+json'])(
    '%s',
    async (type) => {
      const response = await post(valid, { 'content-type': type });
      expect(response.status).toBe(202);
      expect(await response.json()).toEqual({ posted: JSON.parse(valid) });
    },
  );

  test('a body just under the limit', async () => {
    const filler = 'x'.repeat(8 * 1024 * 1024 - 100);
    expect((await post(JSON.stringify({ recipientId: 'x', content: { subject: filler } }))).status).toBe(202);
  });
});

describe('custom verbs', () => {
  test.each([
    ['POST', '/v1/notes:batch', { verb: 'batch' }],
    ['POST', '/v1/notes/5:cancel', { verb: 'cancel', id: '5' }],
    ['POST', '/v1/notes/a:b-c.d:cancel', { verb: 'cancel', id: 'a:b-c.d' }],
    ['POST', '/v1/notes/a%20b:cancel', { verb: 'cancel', id: 'a b' }],
    ['GET', '/v1/notes/5:cancel', { id: '5:cancel', limit: 50 }],
    ['GET', `/v1/notes/${encodeURIComponent('ї'.repeat(200))}`, { id: 'ї'.repeat(200), limit: 50 }],
  ])('%s %s', async (method, path, answer) => {
    const response = await fetch(url(path), { method });
    expect(response.ok).toBe(true);
    expect(await response.json()).toEqual(answer);
  });

  test('no body is needed, not even with its media type', async () => {
    expect((await fetch(url('/v1/notes/5:cancel'), { method: 'POST', headers: json })).status).toBe(202);
  });

  test.each(['/v1/notes/:cancel', '/v1/notes/5:send', '/v1/notes:other', '/v1/notes/5/x:cancel'])(
    'POST %s is unknown',
    async (path) => {
      expect((await problemFrom(await fetch(url(path), { method: 'POST' }))).type).toBe('/problems/not-found');
    },
  );
});

describe('bodies that are refused', () => {
  test.each<[string, string, number, string, RegExp]>([
    ['malformed JSON', '{"recipientId": "x",\n "content": oops}', 400, 'malformed-json', /line 2, column 13$/],
    ['half a body', '{"recipientId": "x"', 400, 'malformed-json', /it ends too early$/],
    ['two values', '{} {}', 400, 'malformed-json', /line 1, column 4$/],
    ['an array', `[${valid}]`, 422, 'validation', /^body: must be an object$/],
    ['null', 'null', 422, 'validation', /must be an object/],
    ['a text', '"text"', 422, 'validation', /must be an object/],
    ['nothing', '', 422, 'validation', /a JSON body is required/],
    ['a missing field', '{"content":{"subject":"x"}}', 422, 'validation', /^recipientId: is required$/],
    [
      'a wrong type',
      '{"recipientId":"x","content":{"subject":5}}',
      422,
      'validation',
      /^content.subject: subject must be a string$/,
    ],
    [
      'an unknown field',
      '{"recipientId":"x","content":{"subject":"x"},"a":1}',
      422,
      'validation',
      /^a: is not a known field$/,
    ],
    [
      'a nested unknown field',
      '{"recipientId":"x","content":{"subject":"x","a":1}}',
      422,
      'validation',
      /^content.a: is not a known/,
    ],
    [
      '__proto__',
      '{"recipientId":"x","content":{"subject":"x","__proto__":{"a":1}}}',
      422,
      'validation',
      /^content.__proto__: /,
    ],
    ['__proto__, escaped', '{"tags":{"\\u005f_proto__":{"a":1}}}', 422, 'validation', /^tags.__proto__: /],
    ['__proto__ in a list', '[[{"a":[{"__proto__":{}}]}]]', 422, 'validation', /__proto__: /],
    [
      'constructor',
      '{"recipientId":"x","content":{"subject":"x","constructor":{}}}',
      422,
      'validation',
      /^content.constructor: /,
    ],
    ['too deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 422, 'validation', /deeper than 64/],
  ])('%s', async (_, body, status, type, detail) => {
    const response = await post(body);
    expect(response.status).toBe(status);
    const problem = await problemFrom(response);
    expect(problem.type).toBe(`/problems/${type}`);
    expect(problem.detail).toMatch(detail);
    if (status === 422) expect(problem.errors).toHaveLength(1);
  });

  test('all that is wrong is told', async () => {
    const problem = await problemFrom(await post('{"content":{"subject":5,"b":1},"a":1}'));
    expect(problem.errors!.map(({ path }) => path).sort()).toEqual([
      'a',
      'content.b',
      'content.subject',
      'recipientId',
    ]);
  });

  test('a malformed body is not quoted', async () => {
    expect(JSON.stringify(await problemFrom(await post('{"a": secret}')))).not.toContain('secret');
  });

  test('no body and no media type', async () => {
    expect((await problemFrom(await post(null, {}))).detail).toMatch(/a JSON body is required/);
  });

  test('bytes that are no UTF-8', async () => {
    const problem = await problemFrom(await post(Buffer.from('{"recipientId":"\xff"}', 'latin1')));
    expect(problem).toMatchObject({ status: 400, type: '/problems/malformed-json' });
  });

  test.each([
    'text/plain',
    'application/octet-stream',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'nonsense',
    'application/json-seq',
  ])('media type %s', async (type) => {
    const problem = await problemFrom(await post(valid, { 'content-type': type }));
    expect(problem).toMatchObject({ status: 415, type: '/problems/unsupported-media-type' });
  });

  test('10 MB, of a length that is told', async () => {
    const problem = await problemFrom(await post(`"${'x'.repeat(10_000_000)}"`));
    expect(problem).toMatchObject({ status: 413, type: '/problems/payload-too-large' });
  });

  test('10 MB, in chunks', async () => {
    const sending = httpRequest(url('/v1/notes'), { method: 'POST', headers: json });
    for (let chunk = 0; chunk < 10; chunk += 1) sending.write('x'.repeat(1_000_000));
    sending.end();
    const [response] = (await once(sending, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(413);
    expect(JSON.parse(await text(response))).toMatchObject({ type: '/problems/payload-too-large' });
  });
});

describe('requests that are refused', () => {
  test.each([
    ['an unknown route', 'GET', '/v1/nothing', 404, 'not-found'],
    ['a wrong method', 'DELETE', '/v1/notes/5', 404, 'not-found'],
    ['a wrong method with a body', 'PATCH', '/v1/notes/5', 404, 'not-found'],
    ['a bad parameter', 'GET', '/v1/notes/5?limit=201', 422, 'validation'],
    ['a parameter given twice', 'GET', '/v1/notes/5?limit=1&limit=2', 422, 'validation'],
    ['a path that is too long', 'GET', `/v1/notes/${'x'.repeat(1801)}`, 414, 'uri-too-long'],
  ])('%s', async (_, method, path, status, type) => {
    const problem = await problemFrom(await fetch(url(path), { method }));
    expect(problem).toMatchObject({ status, type: `/problems/${type}` });
  });

  test.each(['/v1/notes/%', '/v1/notes/%zz', '/v1/notes/%c3%28', '/v1/%ff'])('broken escapes: %s', async (path) => {
    const { head, body } = await raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(head).toMatch(/^HTTP\/1.1 400 [^]*content-type: application\/problem\+json/);
    expect(JSON.parse(body)).toMatchObject({ type: '/problems/malformed-request', status: 400 });
  });

  test('headers that are too large', async () => {
    const { head, body } = await raw(`GET /v1/notes/5 HTTP/1.1\r\nHost: x\r\nX-Filler: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(head).toMatch(/^HTTP\/1.1 431 [^]*Content-Type: application\/problem\+json/);
    expect(JSON.parse(body)).toMatchObject({ type: '/problems/headers-too-large', status: 431 });
  });

  test('what is no HTTP', async () => {
    const { head, body } = await raw('hello\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1.1 400 /);
    expect(JSON.parse(body)).toMatchObject({ type: '/problems/malformed-request', status: 400 });
  });

  test('a body that breaks off is not logged', async () => {
    logged.length = 0;
    const connected = once(app.getHttpServer(), 'connection') as Promise<[Socket]>;
    const client = connect(port, '127.0.0.1');
    client.write(
      'POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a"',
    );
    const [socket] = await connected;
    await until(() => socket.bytesRead > 0);
    client.resetAndDestroy();
    await until(() => socket.closed);
    expect((await fetch(url('/v1/notes/5'))).status).toBe(200);
    expect(logged).toEqual([]);
  });

  test.each([
    ['"5"', { expected: '5' }],
    ['*', { expected: 'streamExists' }],
    ['5', { type: '/problems/validation', status: 422 }],
    ['W/"5"', { type: '/problems/precondition-failed', status: 412 }],
  ])('If-Match: %s', async (ifMatch, answer) => {
    const response = await fetch(url('/v1/notes/5'), { method: 'PUT', headers: { 'if-match': ifMatch } });
    expect(await response.json()).toMatchObject(answer);
  });
});

describe('errors that are thrown', () => {
  test.each([
    ['problem', { status: 412, type: '/problems/precondition-failed', detail: 'it is at 5' }],
    ['refused', { status: 409, type: '/problems/conflict', detail: 'it has been sent', code: 'already-sent' }],
    ['revision', { status: 409, type: '/problems/conflict', code: 'wrong-expected-revision' }],
    ['store', { status: 503, type: '/problems/unavailable' }],
    ['unknown', { status: 500, type: '/problems/internal', requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) }],
  ])('%s', async (what, expected) => {
    logged.length = 0;
    const response = await fetch(url(`/v1/throw/${what}`));
    const problem = await problemFrom(response);
    expect(problem).toMatchObject(expected);
    expect(JSON.stringify(problem)).not.toContain('secret');
    expect(response.headers.get('retry-after')).toBe(what === 'store' ? '1' : null);
    expect(logged).toHaveLength(problem.status >= 500 ? 1 : 0);
    if (what === 'unknown') expect(logged[0]).toContain(String(problem.requestId));
  });
});

describe('a body that does not come to its end', () => {
  const bodyTime = 50;
  const postSlowly = (to: number, path: string) => {
    const headers = { 'content-type': 'application/json', 'content-length': '100' };
    const request = httpRequest({ port: to, host: '127.0.0.1', path, method: 'POST', headers });
    request.write('{');
    return request;
  };

  test('is given up after a time, with an answer', async () => {
    logged.length = 0;
    const other = await start({ bodyTime });
    const request = postSlowly(other.port, '/v1/notes');
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect([response.statusCode, response.headers['content-type']]).toEqual([408, 'application/problem+json']);
    expect(JSON.parse(await text(response))).toMatchObject({ type: '/problems/request-timeout', status: 408 });
    await once(request, 'close');
    expect(logged).toEqual([]);
    await other.app.close();
  });

  test('may take longer where it is streamed', async () => {
    const other = await start({ bodyTime });
    const begun = new Promise<void>((resolve) => {
      gate.begun = resolve;
    });
    const streamed = postSlowly(other.port, '/v1/streamed');
    await begun;
    // Begun later, and given up by now.
    const given = postSlowly(other.port, '/v1/notes');
    await once(given, 'response');
    streamed.end('x'.repeat(99));
    const [response] = (await once(streamed, 'response')) as [IncomingMessage];
    expect(JSON.parse(await text(response))).toEqual({ length: 100 });
    await other.app.close();
  });
});

test('closing does not wait for a request that never ends', async () => {
  const other = await start();
  const headers = { 'content-type': 'application/json', 'content-length': '100' };
  const endless = httpRequest({ port: other.port, host: '127.0.0.1', path: '/v1/notes', method: 'POST', headers });
  const failed = once(endless, 'error');
  endless.write('{');
  await once(endless, 'socket');
  await fetch(`http://127.0.0.1:${other.port}/v1/notes/5`);
  await other.app.close();
  await failed;
});

test('closing finishes running requests and drops idle connections', async () => {
  const other = await start();
  const agent = new Agent({ keepAlive: true });
  const get = async (path: string): Promise<string> => {
    const request = httpRequest({ port: other.port, host: '127.0.0.1', path, agent }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return text(response);
  };
  const begun = new Promise<void>((resolve) => {
    gate.begun = resolve;
  });
  const slow = get('/v1/slow');
  await begun;
  await get('/v1/notes/5');
  const closed = other.app.close();
  await until(() => !other.app.getHttpServer().listening);
  await expect(fetch(`http://127.0.0.1:${other.port}/v1/notes/5`)).rejects.toThrow();
  gate.open();
  expect(JSON.parse(await slow)).toEqual({ slow: true });
  await closed;
  agent.destroy();
});
