import { shown, type Painter } from './text.js';

export interface Column<Row> {
  readonly head: string;
  readonly value: (row: Row) => unknown;
  /** Numbers stand to the right. */
  readonly align?: 'right';
  /** May be cut where the terminal is too narrow. */
  readonly cut?: true;
}

const gap = '  ';
const narrowest = 12;

/** @param width columns of the terminal; undefined where nothing is to be cut */
export function tableText<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number | undefined,
  paint: Painter,
): string {
  const cells = rows.map((row) => columns.map(({ value }) => shown(value(row))));
  const widths = columns.map(({ head }, column) =>
    Math.max(head.length, ...cells.map((line) => lengthOf(line[column]!))),
  );
  if (width !== undefined) fit(widths, columns, width);
  const line = (texts: readonly string[], isHead: boolean): string =>
    texts
      .map((text, column) => {
        const padded = pad(text, widths[column]!, columns[column]!.align, column === columns.length - 1);
        return paint(isHead ? 'head' : text, padded);
      })
      .join(gap)
      .trimEnd();
  const heads = columns.map(({ head }) => head.toUpperCase());
  return [line(heads, true), ...cells.map((texts) => line(texts, false))].join('\n');
}

/** Names and values below each other; those without a value are left out. */
export function detailsText(details: Readonly<Record<string, unknown>>, paint: Painter): string {
  const given = Object.entries(details).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const width = Math.max(...given.map(([name]) => name.length));
  return given
    .map(([name, value]) => `${paint('head', name.padEnd(width))}${gap}${paint(shown(value), shown(value))}`)
    .join('\n');
}

/** Takes from the widest of the columns that may be cut. */
function fit<Row>(widths: number[], columns: readonly Column<Row>[], width: number): void {
  const cuttable = columns.flatMap(({ cut }, column) => (cut ? [column] : []));
  let excess = widths.reduce((sum, each) => sum + each, 0) + gap.length * (widths.length - 1) - width;
  while (excess > 0) {
    const widest = cuttable.sort((a, b) => widths[b]! - widths[a]!)[0];
    if (widest === undefined || widths[widest]! <= narrowest) return;
    widths[widest]! -= 1;
    excess -= 1;
  }
}

function pad(text: string, width: number, align: 'right' | undefined, isLast: boolean): string {
  const length = lengthOf(text);
  if (length > width) return `${[...text].slice(0, width - 1).join('')}…`;
  const space = ' '.repeat(width - length);
  if (align === 'right') return space + text;
  return isLast ? text : text + space;
}

/** In characters, which is close enough where none is double width. */
function lengthOf(text: string): number {
  return [...text].length;
}
