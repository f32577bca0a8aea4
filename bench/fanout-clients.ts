import { Agent, get } from 'node:http';

/**
 * Clients of a live list, in a process of their own. Arguments: URL, how many. Each event's data holds `sentAt`, the
 * `process.hrtime` of its making in nanoseconds. Tells the parent when all are connected; asked, it tells how long each
 * event took to each client, in milliseconds, and forgets them.
 */
const [url, count] = [process.argv[2]!, Number(process.argv[3])];
const agent = new Agent({ maxSockets: Infinity });
let delays: number[] = [];
let connected = 0;

function take(text: string): void {
  const now = process.hrtime.bigint();
  for (const [, sentAt] of text.matchAll(/"sentAt":"(\d+)"/g)) delays.push(Number(now - BigInt(sentAt!)) / 1e6);
}

for (let client = 0; client < count; client += 1) {
  get(url, { agent, headers: { accept: 'text/event-stream' } }, (response) => {
    let waiting = '';
    let isFirst = true;
    response.setEncoding('latin1').on('data', (chunk: string) => {
      if (isFirst) {
        isFirst = false;
        connected += 1;
        if (connected === count) process.send!({ connected });
      }
      waiting += chunk;
      const end = waiting.lastIndexOf('\n\n');
      if (end < 0) return;
      take(waiting.slice(0, end));
      waiting = waiting.slice(end + 2);
    });
  }).on('error', (error) => {
    throw error;
  });
}
process.on('message', () => {
  const sorted = Float64Array.from(delays).sort();
  delays = [];
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  process.send!({ delivered: sorted.length, p50: at(0.5), p99: at(0.99) });
});
process.on('disconnect', () => process.exit());
