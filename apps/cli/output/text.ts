import { styleText } from 'node:util';

/** What a terminal would obey, and what turns text round: neither is shown as it is. */
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text of somebody else, safe to show on one line. */
export function shown(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replaceAll(unsafe, ' ');
}

type Style = 'green' | 'yellow' | 'red';

const styles: Readonly<Record<string, Style>> = {
  running: 'green',
  sent: 'green',
  succeeded: 'green',
  handled: 'green',
  paused: 'yellow',
  parked: 'yellow',
  retrying: 'yellow',
  partiallySent: 'yellow',
  stopped: 'red',
  failed: 'red',
  expired: 'red',
};

/** Dresses a word for a terminal. */
export type Painter = (word: string, text: string) => string;

/** Colours the words for states where the stream is a terminal that wants colours (`NO_COLOR`, `FORCE_COLOR`). */
export function painterFor(stream: NodeJS.WriteStream): Painter {
  return (word, text) => {
    const style = word === 'head' ? 'bold' : styles[word];
    return style === undefined ? text : styleText(style, text, { stream });
  };
}
