import { readFileSync } from 'node:fs';

/** The rows of all tables in docs/bad-input.md, input to answer, without the backquotes. */
export function documentedRows(): ReadonlyMap<string, string> {
  const markdown = readFileSync(new URL('../../../../docs/bad-input.md', import.meta.url), 'utf8');
  const rows = new Map<string, string>();
  for (const line of markdown.split('\n')) {
    const [, input, answer] = /^\| (.+?) +\| (.+?) +\|$/.exec(line.replaceAll('`', '')) ?? [];
    if (input === undefined || answer === undefined || input === 'Input' || /^-+$/.test(input)) continue;
    if (rows.has(input)) throw new Error(`docs/bad-input.md has two rows for ${input}`);
    rows.set(input, answer);
  }
  return rows;
}
