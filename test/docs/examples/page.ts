import { readFileSync } from 'node:fs';

// Four folders up from dist/test/docs/examples.
export const root = new URL('../../../../', import.meta.url);

/** A change that a page shows, one place of a file. */
export interface Change {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

/** Code that a page quotes. */
export interface Quotation {
  readonly file: string;
  readonly code: string;
}

interface Block {
  readonly language: string;
  readonly file: string;
  readonly text: string;
}

/** The blocks of a page that name a file. */
function blocksOf(page: string): Block[] {
  const text = readFileSync(new URL(`docs/${page}`, root), 'utf8');
  return [...text.matchAll(/^```(\w+) (\S+)\n([\s\S]*?)^```$/gm)].map(([, language, file, code]) => ({
    language: language!,
    file: file!,
    text: code!,
  }));
}

export function quotationsOf(page: string): Quotation[] {
  return blocksOf(page)
    .filter(({ language }) => language === 'ts')
    .map(({ file, text }) => ({ file, code: text }));
}

export function changesOf(page: string): Change[] {
  return blocksOf(page)
    .filter(({ language }) => language === 'diff')
    .flatMap(({ file, text }) => text.split(/^@@\n/m).map((hunk) => changeOf(file, hunk)));
}

function changeOf(file: string, hunk: string): Change {
  const lines = hunk.trimEnd().split('\n');
  const side = (omitted: '-' | '+'): string =>
    lines
      .filter((line) => !line.startsWith(omitted))
      .map((line) => line.slice(1))
      .join('\n');
  return { file, before: side('+'), after: side('-') };
}

/** @throws where the place is not there, or there is more than one */
export function applied(source: string, { file, before, after }: Change): string {
  const places = source.split(before).length - 1;
  if (places !== 1) throw new Error(`${file} has ${places} places like this:\n${before}`);
  return source.replace(before, () => after);
}
