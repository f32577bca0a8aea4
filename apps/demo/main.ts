import { openStage } from './stage.js';
import { DemoFailed, help, readOptions, type Options } from './options.js';
import { play } from './play.js';

/** Longest time to finish what is under way, in milliseconds. */
const patience = 30_000;

try {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === undefined) say(help);
  else await run(options);
} catch (error) {
  if (!(error instanceof DemoFailed)) throw error;
  process.stderr.write(`tidings: ${error.message}\n`);
  process.exitCode = 1;
}

async function run(options: Options): Promise<void> {
  const stop = new AbortController();
  // A terminal and npm may both pass the same signal on: the second one is no other wish.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  const stage = await openStage(options);
  try {
    await play(stage, options.duration, stop, say);
  } finally {
    say('the end');
    setTimeout(() => process.exit(), patience).unref();
    await stage.close();
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
