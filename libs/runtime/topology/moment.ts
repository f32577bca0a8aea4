import { parse, type RecordedEvent, type RecordOf, type StreamDefinition } from '#libs/kernel';
import type { ReadStreamOptions } from '#libs/store/port';
import type { StreamReader } from './access.js';

/** A moment in the history of the store: a position, or a time in milliseconds since the Unix epoch. Both are inclusive. */
export type Moment = { readonly position: bigint } | { readonly time: number };

const pageSize = 200;

/** Reads streams as they stood at the moment: of later records it knows nothing. */
export function readerAsOf<Readable extends StreamDefinition>(
  reader: StreamReader<Readable>,
  moment: Moment,
): StreamReader<Readable> {
  const stood = (record: RecordedEvent): boolean =>
    'position' in moment ? record.position <= moment.position : record.created <= moment.time;

  async function readUnchecked(
    stream: Readable,
    key: string,
    { direction = 'forwards', from, limit = Infinity }: ReadStreamOptions = {},
  ): Promise<RecordedEvent[]> {
    const found: RecordedEvent[] = [];
    let options: ReadStreamOptions = { direction, limit: pageSize, ...(from !== undefined && { from }) };
    for (;;) {
      const page = await reader.readUnchecked(stream, key, options);
      found.push(...page.filter(stood));
      const last = page.at(-1)?.revision;
      const next = direction === 'forwards' ? (last ?? 0n) + 1n : (last ?? 0n) - 1n;
      if (page.length < pageSize || found.length >= limit || next < 0n) return found.slice(0, limit);
      options = { ...options, from: next };
    }
  }

  async function read<S extends Readable>(stream: S, key: string, options?: ReadStreamOptions): Promise<RecordOf<S>[]> {
    return (await readUnchecked(stream, key, options)).map((record) => parse<S>(stream, record));
  }

  return {
    read,
    readUnchecked,
    last: async (stream, key) => (await read(stream, key, { direction: 'backwards', limit: 1 }))[0],
  };
}
