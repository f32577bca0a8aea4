import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Controller, Get, Module, Post, Req, Res, type StreamableFile } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import type { Authenticator, Caller, Scope } from '#libs/access';
import {
  AskedBy,
  createHttpApp,
  demand,
  Needs,
  OpenStreams,
  Public,
  readStreamedBody,
  StreamedBody,
} from '../index.js';

const streams = new OpenStreams();

@Controller()
class NotesController {
  @Get('public')
  @Public()
  everybody(@AskedBy() caller: Caller | undefined): unknown {
    return { caller: caller?.name ?? null };
  }
  @Get('notes')
  @Needs('notifications:read')
  read(@AskedBy() caller: Caller | undefined): unknown {
    return { caller: caller?.name ?? null };
  }
  @Post('notes')
  @Needs('notifications:write')
  write(@AskedBy() caller: Caller | undefined): unknown {
    demand(caller, 'broadcasts:write', 'to tell several at once');
    return {};
  }
  @Get('undeclared')
  undeclared(): unknown {
    return {};
  }
  @Post('streamed')
  @StreamedBody()
  @Needs('blobs:write')
  async streamed(@Req() request: FastifyRequest): Promise<unknown> {
    let length = 0;
    for await (const chunk of await readStreamedBody(request, 1_000)) length += chunk.length;
    return { length };
  }
  @Get('live')
  @Needs('audit:read')
  live(@Res({ passthrough: true }) reply: FastifyReply): StreamableFile {
    return streams.answer(reply, 'text/event-stream', async function* (signal) {
      yield 'retry: 1000\n\n';
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
  }
}

@Module({ controllers: [NotesController] })
class TestModule {}

class TestCaller implements Caller {
  readonly waiting = new Set<() => void>();
  constructor(
    readonly name: string,
    private readonly scopes: readonly Scope[],
  ) {}
  may(scope: Scope): boolean {
    return this.scopes.includes(scope);
  }
  onceRevoked(callback: () => void): () => void {
    this.waiting.add(callback);
    return () => this.waiting.delete(callback);
  }
}

const reader = new TestCaller('reader', ['notifications:read', 'audit:read']);
const writer = new TestCaller('writer', ['notifications:write', 'blobs:write']);
const authenticator: Authenticator = {
  identify: (bearer) => ({ 'key-of-reader': reader, 'key-of-writer': writer })[bearer],
};

let guarded: NestFastifyApplication;
let open: NestFastifyApplication;
beforeAll(async () => {
  guarded = await createHttpApp(TestModule, { logger: false, authenticator });
  open = await createHttpApp(TestModule, { logger: false });
  for (const app of [guarded, open]) await app.listen(0, '127.0.0.1');
});
afterAll(() => Promise.all([guarded.close(), open.close()]));

const portOf = (app: NestFastifyApplication): number => (app.getHttpServer().address() as AddressInfo).port;

async function ask(method: string, path: string, authorization?: string, more: RequestInit = {}) {
  const response = await fetch(`http://127.0.0.1:${portOf(guarded)}${path}`, {
    ...more,
    method,
    headers: { ...(authorization !== undefined && { authorization }), ...(more.headers as object) },
  });
  const body = (await response.json().catch(() => undefined)) as Record<string, unknown> | undefined;
  return { status: response.status, challenge: response.headers.get('www-authenticate'), body };
}

describe('without a key that is known', () => {
  test.each([
    ['GET', '/notes'],
    ['HEAD', '/notes'],
    ['POST', '/notes'],
    ['POST', '/streamed'],
    ['GET', '/undeclared'],
    ['GET', '/nothing'],
    ['DELETE', '/notes'],
  ])('%s %s is a 401', async (method, path) => {
    expect(await ask(method, path)).toMatchObject({ status: 401, challenge: 'Bearer' });
  });

  test.each(['Bearer key', 'Bearer key-of-reader key-of-writer', `Bearer ${'x'.repeat(513)}`, 'bearer  key'])(
    '%s is a 401 that does not repeat it',
    async (authorization) => {
      const { status, challenge, body } = await ask('GET', '/notes', authorization);
      expect(status).toBe(401);
      expect(challenge).toMatch(/^Bearer/);
      expect(body).toMatchObject({ type: '/problems/unauthenticated', status: 401 });
      expect(JSON.stringify([body, challenge])).not.toContain('key-of');
    },
  );

  test.each(['Basic a2V5LW9mLXJlYWRlcg==', 'key-of-reader', ''])('%j is no bearer token', async (authorization) => {
    expect(await ask('GET', '/notes', authorization)).toMatchObject({ status: 401, challenge: 'Bearer' });
  });

  test('what is for everybody is answered', async () => {
    expect(await ask('GET', '/public')).toMatchObject({ status: 200, body: { caller: null } });
    expect(await ask('GET', '/public', 'Bearer key')).toMatchObject({ status: 200 });
    expect((await ask('HEAD', '/public')).status).toBe(200);
  });

  test('it is answered before the body has come', async () => {
    const socket = connect(portOf(guarded), '127.0.0.1');
    await once(socket, 'connect');
    socket.write('POST /streamed HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 401 /);
    socket.destroy();
  });
});

describe('with a key', () => {
  test('a route is open that needs one of its scopes, and tells who asks', async () => {
    for (const scheme of ['Bearer', 'bearer']) {
      expect(await ask('GET', '/notes', `${scheme} key-of-reader`)).toMatchObject({
        status: 200,
        challenge: null,
        body: { caller: 'reader' },
      });
    }
  });

  test('a route that needs another scope is a 403 that names it', async () => {
    expect(await ask('GET', '/notes', 'Bearer key-of-writer')).toMatchObject({
      status: 403,
      challenge: 'Bearer error="insufficient_scope", scope="notifications:read"',
      body: {
        type: '/problems/forbidden',
        scope: 'notifications:read',
        detail: 'the API key needs the scope notifications:read',
      },
    });
    expect((await ask('HEAD', '/notes', 'Bearer key-of-writer')).status).toBe(403);
  });

  test('what a request needs on top is a 403 as well', async () => {
    expect(await ask('POST', '/notes', 'Bearer key-of-writer')).toMatchObject({
      status: 403,
      body: {
        scope: 'broadcasts:write',
        detail: 'to tell several at once, the API key needs the scope broadcasts:write',
      },
    });
  });

  test('a route that does not say what it needs is for nobody, and the answer tells its author what to do', async () => {
    expect(await ask('GET', '/undeclared', 'Bearer key-of-reader')).toMatchObject({
      status: 403,
      body: { detail: expect.stringMatching(/@Needs\(<scope>\) or @Public\(\)/) },
    });
  });

  test('what is not there is a 404', async () => {
    expect((await ask('GET', '/nothing', 'Bearer key-of-reader')).status).toBe(404);
  });

  test('a streamed body is taken', async () => {
    const more = { body: '{"a":1}', headers: { 'content-type': 'application/json' } };
    expect(await ask('POST', '/streamed', 'Bearer key-of-writer', more)).toMatchObject({ body: { length: 7 } });
  });

  test('a live answer ends when the key is revoked', async () => {
    const response = await fetch(`http://127.0.0.1:${portOf(guarded)}/live`, {
      headers: { authorization: 'Bearer key-of-reader' },
    });
    expect(reader.waiting.size).toBe(1);
    for (const callback of reader.waiting) callback();
    expect(await response.text()).toBe('retry: 1000\n\n');
    expect(reader.waiting.size).toBe(0);
  });
});

test('without an authenticator everybody is let in, and is nobody', async () => {
  const url = `http://127.0.0.1:${portOf(open)}`;
  expect(await (await fetch(`${url}/notes`)).json()).toEqual({ caller: null });
  expect((await fetch(`${url}/undeclared`)).status).toBe(200);
  expect((await fetch(`${url}/notes`, { method: 'POST' })).status).toBe(201);
});

test('what the routes need is known', () => {
  const needs = guarded.getHttpAdapter().getInstance().routeNeeds();
  expect(needs.get('GET /notes')).toBe('notifications:read');
  expect(needs.get('HEAD /notes')).toBe('notifications:read');
  expect(needs.get('GET /public')).toBe('nothing');
  expect(needs.has('GET /undeclared')).toBe(true);
  expect(needs.get('GET /undeclared')).toBeUndefined();
});
