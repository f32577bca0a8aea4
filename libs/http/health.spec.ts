import { afterEach, expect, jest, test } from '@jest/globals';
import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AddressInfo } from 'node:net';
import { createHttpApp, HealthController, READINESS_CHECKS, type ReadinessCheck } from './index.js';

let app: NestFastifyApplication | undefined;
afterEach(async () => {
  jest.useRealTimers();
  await app?.close();
  app = undefined;
});

async function serve(...checks: ReadinessCheck[]): Promise<(path: string) => Promise<Response>> {
  @Module({ controllers: [HealthController], providers: [{ provide: READINESS_CHECKS, useValue: checks }] })
  class HealthModule {}
  app = await createHttpApp(HealthModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return (path) => fetch(`http://127.0.0.1:${port}${path}`);
}

const up: ReadinessCheck = { name: 'store', check: () => ({ status: 'up' }) };

test('all is up', async () => {
  const get = await serve(up);
  expect(await (await get('/health/live')).json()).toEqual({ status: 'up' });
  const response = await get('/health/ready');
  expect(response.status).toBe(200);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(await response.json()).toEqual({ status: 'up', checks: { store: { status: 'up' } } });
});

test('one is down', async () => {
  const get = await serve(up, { name: 'bots', check: async () => ({ status: 'down', detail: 'starting' }) });
  expect((await get('/health/live')).status).toBe(200);
  const response = await get('/health/ready');
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({
    status: 'down',
    checks: { store: { status: 'up' }, bots: { status: 'down', detail: 'starting' } },
  });
});

test('a check that fails is down, and does not tell why', async () => {
  const get = await serve({ name: 'store', check: () => Promise.reject(new Error('secret')) });
  const response = await get('/health/ready');
  expect(response.status).toBe(503);
  expect(await response.text()).not.toContain('secret');
});

test('a check that does not answer is down', async () => {
  const controller = new HealthController([{ name: 'store', check: () => new Promise(() => {}) }]);
  jest.useFakeTimers();
  const reply = { code: () => ({ header: () => undefined }) };
  const answer = controller.ready(reply as never);
  await jest.advanceTimersByTimeAsync(2_000);
  expect(await answer).toEqual({ status: 'down', checks: { store: { status: 'down', detail: 'no answer in time' } } });
});
