import { get } from 'node:http';

/** An event of a stream of server-sent events; without data it says only from where to resume. */
export interface StreamedEvent<Data> {
  readonly id: string;
  /** Of one that is no ordinary message. */
  readonly name?: string;
  readonly data?: Data;
}

interface Reading<Data> {
  readonly lastEventId?: string | undefined;
  /** API key. */
  readonly key?: string;
  /** Cuts the connection after so many bytes, wherever that is. */
  readonly bytes?: number;
  /** Cuts the connection once it holds. */
  readonly until?: (events: readonly StreamedEvent<Data>[]) => boolean;
}

/** What came over one connection, and whether the server ended it. @throws where the answer is another than 200 */
export function readEvents<Data>(
  url: string,
  { lastEventId, key, bytes = Infinity, until = () => false }: Reading<Data>,
): Promise<{ readonly events: readonly StreamedEvent<Data>[]; readonly ended: boolean }> {
  const headers = {
    accept: 'text/event-stream',
    ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
  };
  return new Promise((resolve, reject) => {
    const events: StreamedEvent<Data>[] = [];
    const request = get(url, { headers, agent: false }, (response) => {
      if (response.statusCode !== 200) {
        reject(new Error(`unexpected answer ${response.statusCode}`));
        return;
      }
      let left = bytes;
      let rest = Buffer.alloc(0);
      response.on('data', (chunk: Buffer) => {
        const taken = chunk.subarray(0, left);
        left -= taken.length;
        const bounds = Buffer.concat([rest, taken]);
        const end = bounds.lastIndexOf('\n\n') + 2;
        rest = end < 2 ? bounds : bounds.subarray(end);
        if (end >= 2) events.push(...eventsIn<Data>(bounds.subarray(0, end).toString()));
        if (left > 0 && !until(events)) return;
        request.destroy();
        resolve({ events, ended: false });
      });
      response.on('end', () => resolve({ events, ended: true }));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

function eventsIn<Data>(text: string): StreamedEvent<Data>[] {
  return text.split('\n\n').flatMap((block) => {
    const [, id, name, data] = /^id: (\d+)(?:\nevent: (\w+))?(?:\ndata: (.*))?$/.exec(block) ?? [];
    if (id === undefined) return [];
    const named = { id, ...(name !== undefined && { name }) };
    return [data === undefined ? named : { ...named, data: JSON.parse(data) as Data }];
  });
}
