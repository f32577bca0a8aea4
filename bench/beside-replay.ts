import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { fill } from './events.js';
import { load, notificationsASecond, runServer } from './flow.js';
import { table } from './report.js';
import { startSink, type Sink } from './sink.js';

const replayed = Number(process.env['REPLAYED'] ?? 1_000_000);
/** Short ones by turns: what else the machine does meanwhile hits both. */
const windows = 20;
const perWindow = 2_000;

/** Notifications a second while nobody replays, and while a client of EventStoreDB replays the store. */
async function whileReplayed(sink: Sink): Promise<{ quiet: number[]; replaying: number[]; events: number }> {
  const server = await runServer(sink, { TIDINGS_FACADE: '127.0.0.1:0' });
  await fill(server.store, replayed);
  await load(server, 2 * perWindow, 0);
  const [quiet, replaying]: [number[], number[]] = [[], []];
  const client = fork(fileURLToPath(new URL('./replay.js', import.meta.url)), [server.facadeUrl!]);
  let events = 0;
  client.on('message', (count: number) => (events += count));
  await once(client, 'message');
  for (let window = 0; window < windows; window += 1) {
    client.kill('SIGSTOP');
    quiet.push(await notificationsASecond(server, perWindow));
    client.kill('SIGCONT');
    replaying.push(await notificationsASecond(server, perWindow));
  }
  client.disconnect();
  await once(client, 'exit');
  await server.stop();
  return { quiet, replaying, events };
}

/** Of all windows: the notifications over the time that they took. */
function mean(rates: readonly number[]): number {
  return rates.length / rates.reduce((sum, rate) => sum + 1 / rate, 0);
}

/** What a client of EventStoreDB that replays the whole store costs the server. */
export async function runReplayBench(): Promise<void> {
  const sink = await startSink();
  const { quiet, replaying, events } = await whileReplayed(sink);
  const [alone, beside] = [mean(quiet), mean(replaying)];
  process.stdout.write(
    `\nNotifications a second beside a client that replays ${replayed} events (${events} replayed)\n${table(
      ['alone', 'replayed', 'ratio'],
      [[alone, beside, beside / alone]],
    )}\n`,
  );
  sink.close();
}
