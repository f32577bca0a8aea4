import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Which of the texts stand in which files under a folder, as `file: text (form)`; in UTF-8, in UTF-16 and in base64 at
 * any offset.
 */
export async function findInFiles(folder: string, texts: readonly string[]): Promise<string[]> {
  const needles = texts.flatMap((text) => formsOf(text).map(([form, bytes]) => ({ text, form, bytes })));
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      // Deleted since it was listed.
      if (error.code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    for (const needle of needles) {
      if (bytes.includes(needle.bytes)) found.push(`${path}: ${needle.text} (${needle.form})`);
    }
  }
  return found;
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
