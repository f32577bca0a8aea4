import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Which of the texts stand in which files under a folder, as `file: text (form)`; in UTF-8, in UTF-16 and in base64 at
 * any offset.
 */
export async function findInFiles(folder: string, texts: readonly string[]): Promise<string[]> {
  const needles = texts.flatMap((text) => formsOf(text).map(([form, bytes]) => ({ text, form, bytes })));
  const found: string[] = [];
  for await (const path of filesIn(folder)) {
    const bytes = await unlessGone(readFile(path), Buffer.alloc(0));
    for (const needle of needles) {
      if (bytes.includes(needle.bytes)) found.push(`${path}: ${needle.text} (${needle.form})`);
    }
  }
  return found;
}

async function* filesIn(folder: string): AsyncGenerator<string, void, undefined> {
  for (const entry of await unlessGone(readdir(folder, { withFileTypes: true }), [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesIn(path);
    else if (entry.isFile()) yield path;
  }
}

/** A server may delete what it has while it is looked through. */
function unlessGone<Found>(finding: Promise<Found>, otherwise: Found): Promise<Found> {
  return finding.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return otherwise;
    throw error;
  });
}

function formsOf(text: string): readonly (readonly [form: string, bytes: Buffer])[] {
  const utf8 = Buffer.from(text);
  const littleEndian = Buffer.from(text, 'utf16le');
  return [
    ['UTF-8', utf8],
    ['UTF-16LE', littleEndian],
    ['UTF-16BE', Buffer.from(littleEndian).swap16()],
    ...[0, 1, 2].flatMap((offset) =>
      (['base64', 'base64url'] as const).map((form) => [`${form}+${offset}`, base64At(offset, utf8, form)] as const),
    ),
  ];
}

/** The characters of base64 that these bytes alone decide when they stand at this offset, modulo 3. */
function base64At(offset: number, bytes: Buffer, form: 'base64' | 'base64url'): Buffer {
  const length = offset + bytes.length;
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString(form);
  return Buffer.from(text.slice(Math.ceil((offset * 4) / 3), Math.floor((length * 4) / 3)));
}
