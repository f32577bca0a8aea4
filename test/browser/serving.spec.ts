import { describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { useServer } from '../support/index.js';

const server = useServer();

async function get(path: string, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(server.url + path, { headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The scripts and styles that the page names, which is all that the browser loads before it shows something. */
async function firstPage(): Promise<readonly string[]> {
  const { text } = await get('/');
  return [...text.matchAll(/(?:src|href)="(\/assets\/[^"]+\.(?:js|css))"/g)].map(([, path]) => path!);
}

describe('the page', () => {
  const pages = ['/', '/notifications', '/notifications/1?a=b', '/recipients/ada', '/topology', '/parked', '/send'];

  test.each(pages)('%s is answered with it, never from a cache, and locked up', async (path) => {
    const { status, headers, text } = await get(path);
    expect(status).toBe(200);
    expect(text).toContain('<div id="console">');
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-cache');
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'self'; /);
    expect(headers.get('content-security-policy')).not.toMatch(/script-src|unsafe-eval/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test.each(['/v1/nothing', '/health/nothing', '/v1/notifications/nothing', '/nothing', '/assets/nothing.js'])(
    '%s stays a problem',
    async (path) => {
      const { status, headers } = await get(path);
      expect(status).toBe(404);
      expect(headers.get('content-type')).toBe('application/problem+json');
    },
  );

  test.each(['/health/live', '/v1/consumers', '/metrics', '/openapi.json', '/docs'])('%s is not it', async (path) => {
    expect((await get(path)).text).not.toContain('<div id="console">');
  });
});

describe('scripts and styles', () => {
  test('are kept for good, and come compressed', async () => {
    for (const path of await firstPage()) {
      const { status, headers } = await get(path, { 'accept-encoding': 'gzip' });
      expect(status).toBe(200);
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(headers.get('content-encoding')).toBe('gzip');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  test('of the first page weigh less than 300 kB, and draw no graphs', async () => {
    const paths = await firstPage();
    expect(paths.length).toBeGreaterThanOrEqual(2);
    const texts = await Promise.all(paths.map(async (path) => (await get(path)).text));
    const bytes = texts.reduce((sum, text) => sum + gzipSync(text).length, 0);
    expect(bytes).toBeLessThan(300_000);
    expect(texts.filter((text) => text.includes('react-flow'))).toEqual([]);
  });
});
