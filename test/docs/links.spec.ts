import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

// Three folders up from dist/test/docs.
const root = fileURLToPath(new URL('../../../', import.meta.url));
const pages = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path)),
];

interface Link {
  /** From the checkout's root. */
  readonly page: string;
  readonly path: string;
  readonly anchor: string | undefined;
  readonly text: string;
}

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

/** Without what stands in code, where brackets mean something else. */
function prose(page: string): string {
  return read(page)
    .replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '')
    .replaceAll(/`[^`\n]*`/g, (code) => `\`${'x'.repeat(code.length - 2)}\``);
}

function linksOf(page: string): Link[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path, anchor] = target.split('#') as [string, string | undefined];
      const absolute = path === '' ? join(root, page) : resolve(root, dirname(page), path);
      return { page, path: relative(root, absolute), anchor, text: target };
    });
}

/** As GitHub makes them. */
function anchorsOf(page: string): string[] {
  const seen = new Map<string, number>();
  const withoutCode = read(page).replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '');
  return [...withoutCode.matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading]) => {
    const slug = heading!
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

const links = pages.flatMap(linksOf);

test('every link leads to something', () => {
  expect(links.length).toBeGreaterThan(100);
  expect(links.filter(({ path }) => !existsSync(join(root, path))).map(place)).toEqual([]);
});

test('every anchor is a heading', () => {
  const broken = links.filter(
    ({ path, anchor }) => anchor !== undefined && path.endsWith('.md') && !anchorsOf(path).includes(anchor),
  );
  expect(broken.map(place)).toEqual([]);
});

test('every page is in the index by task, and the index is linked from the README', () => {
  const index = new Set(linksOf('docs/README.md').map(({ path }) => path));
  const files = readdirSync(join(root, 'docs')).filter((name) => statSync(join(root, 'docs', name)).isFile());
  expect(files.filter((name) => name !== 'README.md' && !index.has(join('docs', name)))).toEqual([]);
  expect(linksOf('README.md').map(({ path }) => path)).toContain('docs/README.md');
});

function place({ page, text }: Link): string {
  return `${page}: ${text}`;
}
