import type { Answer } from '../api-client.js';
import { detailsText, tableText, type Column } from './table.js';
import { painterFor, shown, type Painter } from './text.js';

/** Where a command says what it has found: results on stdout, remarks on stderr. */
export class Output {
  private readonly paint: Painter;
  private readonly width: number | undefined;

  /** @param json answers as they came instead of tables */
  constructor(
    private readonly json: boolean,
    private readonly stdout: NodeJS.WriteStream,
    private readonly stderr: NodeJS.WriteStream,
  ) {
    this.paint = painterFor(stdout);
    this.width = stdout.isTTY ? stdout.columns : undefined;
  }

  /** The answer for programs; else what the parts say for people, a blank line between them. */
  answer<Body>({ body, text }: Answer<Body>, parts: (body: Body) => readonly string[]): void {
    const result = this.json ? text.trimEnd() : parts(body).join('\n\n');
    this.stdout.write(`${result}\n`);
  }

  /** How far something is: for programs one answer a line, on a terminal one line that changes, else nothing. */
  progress<Body>({ text }: Answer<Body>, shownText: () => string): void {
    if (this.json) this.stdout.write(`${text.trimEnd()}\n`);
    else if (this.stdout.isTTY) this.stdout.write(`\r\x1b[K${shown(shownText())}`);
  }

  /** What came of it, for people. */
  endProgress(text: string): void {
    if (!this.json) this.stdout.write(`${this.stdout.isTTY ? '\n' : ''}${shown(text)}\n`);
  }

  /** As `answer`, of what no server has answered. */
  result<Body>(body: Body, parts: (body: Body) => readonly string[]): void {
    this.answer({ body, text: JSON.stringify(body) }, parts);
  }

  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], nothing = 'none'): string {
    return rows.length === 0 ? nothing : tableText(rows, columns, this.width, this.paint);
  }

  details(details: Readonly<Record<string, unknown>>): string {
    return detailsText(details, this.paint);
  }

  remark(text: string): void {
    this.stderr.write(`tidings: ${shown(text)}\n`);
  }
}
