import { parentPort, workerData } from 'node:worker_threads';
import { failureOf } from './failure.js';
import type { PageRequest, ReaderRequest, Reply } from './messages.js';
import type { Tuning } from './options.js';
import { Queries, type EventRow } from './queries.js';
import { databaseFile, openForReading } from './schema.js';

/**
 * Answers pages as one JSON text for all pages of a message: stored data is spliced in as it is, and the main
 * thread parses once.
 */
const tuning = workerData as Tuning;
const port = parentPort!;
const file = databaseFile(tuning.directory);
const typeTexts = new Map<number, string>();

function rowText(row: EventRow, queries: Queries, named: boolean): string {
  const [position, category, key, revision, id, typeId, created, data, causation, metadata] = row;
  let type = typeTexts.get(typeId);
  if (type === undefined) {
    type = JSON.stringify(queries.typeName(typeId));
    typeTexts.set(typeId, type);
  }
  const stream = named ? JSON.stringify(streamOf(queries.categoryName(category), key)) : 'null';
  const about = causation === null ? metadata : JSON.stringify(causation);
  return `["${id}",${type},${stream},${revision},${position},${created},${data},${about}]`;
}

function streamOf(category: string, key: string): string {
  return key === '' ? category : `${category}-${key}`;
}

function pageText(request: PageRequest, queries: Queries): string {
  try {
    const page = request.kind === 'stream' ? queries.streamPage(request) : queries.allPage(request);
    const rows = page.rows.map((row) => rowText(row, queries, request.kind === 'all')).join(',');
    const deleted = page.deleted ? ',"deleted":true' : '';
    return `{"rows":[${rows}],"length":${rows.length},"scanned":${page.scanned},"end":${page.end}${deleted}}`;
  } catch (thrown) {
    return JSON.stringify({ rows: [], length: 0, scanned: 0, end: true, failure: failureOf(thrown, file) });
  }
}

try {
  const database = openForReading(tuning);
  const queries = new Queries(database);
  port.on('message', (request: ReaderRequest) => {
    if (request.kind === 'close') {
      database.close();
      port.postMessage({ value: '' } satisfies Reply<string>);
      port.close();
      return;
    }
    const texts = request.requests.map((page) => pageText(page, queries));
    port.postMessage({ value: `[${texts.join(',')}]` } satisfies Reply<string>);
  });
  port.postMessage({ value: '' } satisfies Reply<string>);
} catch (thrown) {
  port.postMessage({ failure: failureOf(thrown, file) } satisfies Reply<string>);
}
