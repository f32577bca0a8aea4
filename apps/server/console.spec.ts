import { afterEach, expect, test } from '@jest/globals';
import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHttpApp } from '#libs/http';
import { serveConsole } from './console.js';

@Module({})
class NothingElse {}

let app: NestFastifyApplication | undefined;

afterEach(() => app?.close());

test('where the console is not built, the server says how to build it', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'tidings-'));
  await rm(empty, { recursive: true });
  app = await createHttpApp(NothingElse, { logger: false });
  await serveConsole(app, empty);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const url = await app.getUrl();
  for (const path of ['/', '/topology']) {
    const response = await fetch(url + path);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toContain('npm run build');
  }
  expect((await fetch(`${url}/assets/main.js`)).headers.get('content-type')).toBe('application/problem+json');
});
