import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { runServer, startServer, temporaryFolder } from '../support/index.js';

// Three folders up from dist/test/docs.
const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('docs/troubleshooting.md', root), 'utf8');

const symptoms = page
  .split(/^### /m)
  .slice(1)
  .map((section) => ({
    title: section.slice(0, section.indexOf('\n')),
    messages: [...section.matchAll(/^> `(.+)`$/gm)].map(([, message]) => message!),
  }));

/** The program's own texts; what a test or a page says is no evidence. */
const sources = ['apps', 'libs'].flatMap((folder) =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path) && !/\.spec\.ts$|(^|\/)(node_modules|dist|testing)\//.test(path))
    .map((path) => readFileSync(new URL(`${folder}/${path}`, root), 'utf8')),
);

test('there are enough of them, and each has a title of its own', () => {
  expect(symptoms.length).toBeGreaterThanOrEqual(30);
  expect(new Set(symptoms.map(({ title }) => title)).size).toBe(symptoms.length);
});

const messages = [...new Set(symptoms.flatMap((symptom) => symptom.messages))];

test.each(messages)('the program says: %s', (message) => {
  const parts = message.split('…').filter((part) => part.trim().length > 1);
  expect(parts.join('').length).toBeGreaterThan(5);
  const saying = sources.filter((source) => parts.every((part) => source.includes(part)));
  expect(saying.length).toBeGreaterThan(0);
});

test('a port in use is told as the system says it', async () => {
  const [one, other] = await Promise.all([temporaryFolder(), temporaryFolder()]);
  const server = await startServer(one.path);
  const { code, stderr } = await runServer(other.path, [], { PORT: new URL(server.url).port });
  await server.kill();
  await Promise.all([one.remove(), other.remove()]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^tidings: listen EADDRINUSE: address already in use 127\.0\.0\.1:\d+$/m);
});
