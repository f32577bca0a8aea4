import { settingsTable, type Setting } from './table.js';

const settings: readonly Setting<unknown>[] = Object.values(settingsTable);

/** What `--help` prints. */
export function helpText(): string {
  const width = Math.max(...settings.map(({ name }) => name.length)) + 2;
  const lines = settings.flatMap((setting) => [
    `  ${setting.name.padEnd(width)}${setting.description}`,
    `  ${''.padEnd(width)}${setting.default === undefined ? `Unset: ${setting.unset}.` : `Default: ${setting.default}`}`,
  ]);
  return [
    'Tidings tells people what became of the things they asked for.',
    '',
    'Options:',
    '  -h, --help   show this text',
    '  --version    show the version',
    '',
    'Settings, from the environment or a .env file in the working folder (the environment wins):',
    ...lines,
  ].join('\n');
}

/** docs/settings.md. */
export function settingsMarkdown(): string {
  const rows = settings.map((setting) => [
    `\`${setting.name}\``,
    setting.default === undefined ? `unset: ${setting.unset}` : `\`${setting.default}\``,
    `${setting.description}${setting.secret ? ' Secret: its value is never shown.' : ''}`,
  ]);
  return `# Settings

Settings are environment variables, or lines of a \`.env\` file in the working folder; the environment wins. An empty
variable is one that is not set. \`--help\` shows this list.

${markdownTable(['Name', 'Default', 'Meaning'], rows)}

A setting that cannot be read, or a name that starts with \`TIDINGS_\` and is not in this list, stops the start: one line
on standard error says what to put right, and the exit code is 78. \`TIDINGS_URL\` and \`TIDINGS_API_KEY\` are not in the list
and no mistakes: they tell the [command line](cli.md) where the server is, and its key.

This page is generated. To refresh it: \`npm run docs\`.
`;
}

/** Cells padded as prettier does it. */
function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
