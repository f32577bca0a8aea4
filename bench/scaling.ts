import { categoryOf } from '#libs/kernel';
import { load, runServer } from './flow.js';
import { table } from './report.js';
import { startSink } from './sink.js';

const measured = 2_000;
const aDay = 1_000_000;
const secondsADay = 86_400;
/** The busiest hour of a day against its average. */
const peak = 5;

/**
 * What EventStoreDB writes for a record beside its JSON, its stream's name and its type, as its public sources have it: 90
 * bytes of the log record (lengths before and after it, positions, revision, two UUIDs, time, flags, lengths of what varies)
 * and 24 of the entry in the index (hash of the stream, revision, position). What is written with one append needs no more.
 */
const overhead = 90 + 24;

interface Size {
  records: number;
  /** Of JSON: data and metadata. */
  bytes: number;
  /** On the disk of a node of EventStoreDB. */
  stored: number;
}

/** What a million notifications a day come to, by the sizes of those that are sent here. */
export async function runScalingBench(): Promise<void> {
  const sink = await startSink();
  const server = await runServer(sink);
  const after = await server.store.head();
  await load(server, measured, 0);
  const byCategory = new Map<string, Size>();
  for await (const { stream, type, data, metadata } of server.store.readAll({ from: after + 1n })) {
    const category = categoryOf(stream);
    const size = byCategory.get(category) ?? { records: 0, bytes: 0, stored: 0 };
    const bytes = Buffer.byteLength(JSON.stringify(data)) + Buffer.byteLength(JSON.stringify(metadata));
    size.records += 1;
    size.bytes += bytes;
    size.stored += bytes + Buffer.byteLength(stream) + Buffer.byteLength(type) + overhead;
    byCategory.set(category, size);
  }
  await server.stop();
  sink.close();
  process.stdout.write(`\n${reportOf([...byCategory])}\n`);
}

function reportOf(sizes: readonly (readonly [string, Size])[]): string {
  const total: Size = { records: 0, bytes: 0, stored: 0 };
  for (const [, { records, bytes, stored }] of sizes) {
    total.records += records;
    total.bytes += bytes;
    total.stored += stored;
  }
  const each = [...sizes, ['all', total] as const].map(([category, { records, bytes, stored }]) => [
    category,
    records / measured,
    bytes / measured,
    stored / measured,
    (records / measured) * aDay,
    ((stored / measured) * aDay) / 1e9,
  ]);
  const perSecond = ((total.records / measured) * aDay) / secondsADay;
  const bandwidth = ((total.bytes / measured) * aDay * 8) / secondsADay / 1e6;
  return [
    table(['a notification', 'records', 'bytes of JSON', 'on the disk', 'records a day', 'GB a day'], each),
    '',
    table(
      ['a million a day', 'average', `busiest hour (×${peak})`],
      [
        ['notifications a second', aDay / secondsADay, (aDay / secondsADay) * peak],
        ['appends a second', perSecond, perSecond * peak],
        ['Mbit/s to the store, and from it to each process', bandwidth, bandwidth * peak],
      ],
    ),
  ].join('\n');
}
