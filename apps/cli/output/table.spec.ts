import { PassThrough } from 'node:stream';
import { WriteStream } from 'node:tty';
import { afterEach, describe, expect, it } from '@jest/globals';
import { detailsText, tableText, type Column } from './table.js';
import { painterFor, type Painter } from './text.js';

interface Fruit {
  readonly name: string;
  readonly count: number;
  readonly note?: string;
}

const columns: readonly Column<Fruit>[] = [
  { head: 'name', value: ({ name }) => name },
  { head: 'count', value: ({ count }) => count, align: 'right' },
  { head: 'note', value: ({ note }) => note, cut: true },
];
const fruits = [
  { name: 'apple', count: 7, note: 'from the garden behind the house' },
  { name: 'kiwi', count: 1_000 },
];
const plain: Painter = (_, text) => text;

describe('tableText', () => {
  it('aligns', () => {
    expect(tableText(fruits, columns, undefined, plain)).toBe(
      ['NAME   COUNT  NOTE', 'apple      7  from the garden behind the house', 'kiwi    1000  -'].join('\n'),
    );
  });

  it('cuts what may be cut to the width of the terminal', () => {
    const lines = tableText(fruits, columns, 30, plain).split('\n');
    expect(lines[1]).toBe('apple      7  from the garden…');
    expect(lines.every((line) => line.length <= 30)).toBe(true);
  });

  it('does not cut beyond recognition', () => {
    expect(tableText(fruits, columns, 5, plain).split('\n')[1]).toBe('apple      7  from the ga…');
  });
});

describe('detailsText', () => {
  it('leaves out what has no value', () => {
    expect(detailsText({ id: 'a', reason: null, status: 'sent', note: '' }, plain)).toBe('id      a\nstatus  sent');
  });
});

describe('painterFor', () => {
  const before = { ...process.env };
  const terminal = Object.assign(new PassThrough(), {
    isTTY: true,
    getColorDepth: () => WriteStream.prototype.getColorDepth(process.env),
  }) as unknown as NodeJS.WriteStream;

  afterEach(() => {
    process.env = { ...before };
  });

  it.each([
    ['a terminal', { TERM: 'xterm-256color' }, true],
    ['a terminal whose owner wants no colours', { TERM: 'xterm-256color', NO_COLOR: '1' }, false],
  ])('%s', (_, env: Readonly<Record<string, string>>, isColoured) => {
    process.env = { ...env };
    expect(painterFor(terminal)('sent', 'sent').includes('\u001b[')).toBe(isColoured);
    expect(painterFor(terminal)('other', 'other')).toBe('other');
  });

  it('no terminal', () => {
    process.env = { TERM: 'xterm-256color' };
    expect(painterFor(new PassThrough() as unknown as NodeJS.WriteStream)('sent', 'sent')).toBe('sent');
  });
});
