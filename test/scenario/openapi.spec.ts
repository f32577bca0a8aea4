import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OpenApiDocument, Operation } from '#libs/http';
import { temporaryFolder } from '../support/index.js';
import { Conformance } from './openapi/conformance.js';
import { RecordingApi } from './openapi/recording-api.js';
import { startTellingServer, type TellingServer } from './openapi/telling-server-process.js';
import { appendUnreadable, visitEverything } from './openapi/tour.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let unreadable: string;
let server: TellingServer;
let api: RecordingApi;
let document: OpenApiDocument;
let conformance: Conformance;

beforeAll(async () => {
  folder = await temporaryFolder();
  unreadable = await appendUnreadable(folder.path);
  server = await startTellingServer(folder.path);
  api = new RecordingApi(server.url);
  document = (await api.request<OpenApiDocument>('GET', '/openapi.json')).body;
  conformance = new Conformance(document);
});

afterAll(async () => {
  await server?.stop();
  await folder?.remove();
});

function operations(): readonly (readonly [route: string, operation: Operation])[] {
  return Object.entries(document.paths).flatMap(([path, byMethod]) =>
    Object.entries(byMethod).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
  );
}

test('every route says which scope a key needs for it, or that it is public', () => {
  const advice = 'declare it at the controller with @Needs(<scope>) or @Public() of #libs/http (docs/access.md)';
  expect(server.undeclared.map((route) => `${route} is for nobody: ${advice}`)).toEqual([]);
});

describe('the OpenAPI document', () => {
  test('has the routes of the server, no more and no less', () => {
    expect(
      operations()
        .map(([route]) => route)
        .sort(),
    ).toEqual([...server.routes].sort());
  });

  test('is OpenAPI 3.1 in itself', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
    const tags = document.tags.map(({ name }) => name);
    expect(new Set(tags).size).toBe(tags.length);
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [route, { tags: own, parameters = [], responses }] of operations()) {
      expect(tags).toEqual(expect.arrayContaining([...own]));
      const inPath = parameters.filter((one) => one.in === 'path');
      expect([route, inPath.map(({ name }) => `{${name}}`)]).toEqual([route, route.match(/\{\w+\}/g) ?? []]);
      expect(inPath.every(({ required }) => required)).toBe(true);
      for (const [status, { description }] of Object.entries(responses)) {
        expect(status).toMatch(/^([2-5]\d\d|default)$/);
        expect(description).not.toBe('');
      }
    }
  });

  test('has schemas that are JSON Schema 2020-12, and references that lead somewhere', () => {
    const problems = Object.entries(document.components.schemas).flatMap(([name, schema]) =>
      conformance.schemaProblems(schema).map((problem) => `${name}: ${problem}`),
    );
    expect(problems).toEqual([]);
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(0);
    const dangling = references.map(([, name]) => name!).filter((name) => !(name in document.components.schemas));
    expect(dangling).toEqual([]);
  });

  test('has examples that are valid', () => {
    const bodies = operations().flatMap(([, { requestBody }]) => requestBody?.content['application/json'] ?? []);
    const examples = bodies.filter(({ example }) => example !== undefined);
    expect(examples.length).toBeGreaterThan(0);
    expect(examples.flatMap(({ schema, example }) => conformance.check(schema!, example))).toEqual([]);
  });

  test('describes what the server takes and answers, on every route', async () => {
    await visitEverything(api, unreadable);
    const problems = api.exchanges.flatMap((exchange) =>
      conformance
        .problems(exchange)
        .map((problem) => `${exchange.method} ${exchange.path} ${exchange.status}: ${problem}`),
    );
    expect([...new Set(problems)]).toEqual([]);
    const answered = new Set(
      api.exchanges
        .filter(({ status }) => status < 400)
        .map(({ method, path }) => conformance.operationOf(method, path).operationId),
    );
    expect(
      operations()
        .map(([, { operationId }]) => operationId)
        .filter((id) => !answered.has(id)),
    ).toEqual([]);
  });
});

test('live answers have the media type that is described', async () => {
  await api.putRecipient('live', 'live@example.com');
  const paths = ['/v1/events', `/v1/notifications/${await api.notify('live')}`];
  for (const path of paths) {
    const leaving = new AbortController();
    const headers = { accept: 'text/event-stream' };
    const response = await fetch(server.url + path, { headers, signal: leaving.signal });
    leaving.abort();
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(conformance.operationOf('GET', path).responses['200']!.content).toHaveProperty(['text/event-stream']);
  }
});

describe('the page', () => {
  test('tells of every route and loads nothing', async () => {
    const { body, headers } = await api.request<string>('GET', '/docs');
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; style-src 'unsafe-inline'");
    for (const [route, { operationId }] of operations()) {
      expect(body).toContain(`id="${operationId}"`);
      expect(body).toContain(`<code>${route.split(' ')[1]}</code>`);
    }
    expect(body).not.toMatch(/<script|<link|src=|@import|url\(/);
  });
});
