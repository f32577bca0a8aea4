import { categoryOf } from '#libs/kernel';
import { load, runServer } from './flow.js';
import { table } from './report.js';
import { startSink } from './sink.js';

const measured = 2_000;
const aDay = 1_000_000;
const secondsADay = 86_400;
/** The busiest hour of a day against its average. */
const peak = 5;

interface Size {
  records: number;
  bytes: number;
}

/** What a million notifications a day come to, by the sizes of those that are sent here. */
export async function runScalingBench(): Promise<void> {
  const sink = await startSink();
  const server = await runServer(sink);
  const after = await server.store.head();
  await load(server, measured, 0);
  const byCategory = new Map<string, Size>();
  for await (const { stream, data, metadata } of server.store.readAll({ from: after + 1n })) {
    const category = categoryOf(stream);
    const size = byCategory.get(category) ?? { records: 0, bytes: 0 };
    size.records += 1;
    size.bytes += Buffer.byteLength(JSON.stringify(data)) + Buffer.byteLength(JSON.stringify(metadata));
    byCategory.set(category, size);
  }
  await server.stop();
  sink.close();
  process.stdout.write(`\n${reportOf([...byCategory])}\n`);
}

function reportOf(sizes: readonly (readonly [string, Size])[]): string {
  const total = sizes.reduce(
    (sum, [, { records, bytes }]) => ({ records: sum.records + records, bytes: sum.bytes + bytes }),
    {
      records: 0,
      bytes: 0,
    },
  );
  const each = [...sizes, ['all', total] as const].map(([category, { records, bytes }]) => [
    category,
    records / measured,
    bytes / measured,
    (records / measured) * aDay,
    ((bytes / measured) * aDay) / 1e9,
  ]);
  const perSecond = ((total.records / measured) * aDay) / secondsADay;
  const bandwidth = ((total.bytes / measured) * aDay * 8) / secondsADay / 1e6;
  return [
    table(['a notification', 'records', 'bytes', 'records a day', 'GB a day'], each),
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
