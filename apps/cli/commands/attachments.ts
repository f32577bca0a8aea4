import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import type { ApiClient } from '../api-client.js';
import { usageError } from '../exit-codes.js';

/** Bytes of files that go inside the request; more are uploaded first. */
const mostInline = 5_000_000;

const mediaTypes: Readonly<Record<string, string>> = {
  '.csv': 'text/csv',
  '.doc': 'application/msword',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  '.gif': 'image/gif',
  '.htm': 'text/html',
  '.html': 'text/html',
  '.ics': 'text/calendar',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.md': 'text/markdown',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.webp': 'image/webp',
  '.xls': 'application/vnd.ms-excel',
  '.xlsx': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  '.xml': 'application/xml',
  '.zip': 'application/zip',
};

interface Attachment {
  readonly fileName: string;
  readonly mediaType: string;
  readonly content?: string;
  readonly blobId?: string;
}

/** The files as the API takes them: base64 while they are small together, uploaded otherwise. @throws CommandFailed */
export async function attachmentsOf(api: ApiClient, files: readonly string[]): Promise<readonly Attachment[]> {
  const sizes = await Promise.all(files.map((file) => sizeOf(file)));
  const attachments: Attachment[] = [];
  let inline = 0;
  for (const [index, file] of files.entries()) {
    const fileName = basename(file);
    const mediaType = mediaTypes[extname(file).toLowerCase()] ?? 'application/octet-stream';
    if (inline + sizes[index]! <= mostInline) {
      inline += sizes[index]!;
      attachments.push({ fileName, mediaType, content: (await readBytes(file)).toString('base64') });
    } else {
      const { body } = await api.upload<{ readonly id: string }>('/v1/blobs', file);
      attachments.push({ fileName, mediaType, blobId: body.id });
    }
  }
  return attachments;
}

/** @throws CommandFailed */
export async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw cannotRead(file, error);
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    const stats = await stat(file);
    if (stats.isFile()) return stats.size;
  } catch (error) {
    throw cannotRead(file, error);
  }
  throw usageError(`${file} is not a file`);
}

function cannotRead(file: string, error: unknown) {
  return usageError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
}
