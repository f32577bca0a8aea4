import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

// Three folders up from dist/test/docs.
const root = new URL('../../../', import.meta.url);
const folder = 'test/checklist';
const page = readFileSync(new URL('docs/checklist.md', root), 'utf8');

/** The points of the page's table, each with its file. */
const promised = [...page.matchAll(/^\| (W?\d+) +\| .+\| `(.+)` +\|$/gm)].map(([, point, file]) => `${point} ${file}`);

/** The points that the titles of tests start with, each with its file. */
const shown = readdirSync(new URL(folder, root))
  .filter((name) => name.endsWith('.spec.ts'))
  .flatMap((name) => {
    const source = readFileSync(new URL(`${folder}/${name}`, root), 'utf8');
    const titles = source.matchAll(/(?:\btest|\))\(\s*['"`](W?\d+)\. /g);
    return [...titles].map(([, point]) => `${point} ${folder}/${name}`);
  });

test('every point from 1 to 30 is in the table, in order, and then the weaknesses', () => {
  const points = promised.map((row) => row.split(' ')[0]);
  const numbered = (count: number, prefix = '') => Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
  expect(points).toEqual([...numbered(30), ...numbered(points.length - 30, 'W')]);
});

test('every point has a test in the file that the table names, and every test of a point is in the table', () => {
  expect([...new Set(shown)].sort()).toEqual([...promised].sort());
});

test('a test in the folder is one of a point', () => {
  const tests = readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith('.spec.ts'))
    .map(
      (name) => readFileSync(new URL(`${folder}/${name}`, root), 'utf8').match(/^ *test(?:\.each)?\(/gm)?.length ?? 0,
    );
  expect(shown).toHaveLength(tests.reduce((sum, count) => sum + count, 0));
});
