import 'reflect-metadata';
import { nameOfS3 } from '#libs/blob';
import { messageOf } from '#libs/kernel';
import { nameOf } from '#libs/store/eventstoredb';
import { nameOfRedis } from '#libs/vault';
import { createLog } from './log.js';
import { startServer, type Server } from './server.js';
import { configurationError, readSettings, type Settings } from './settings/index.js';

/** Longest time to finish what is under way; what is not done by then is taken up again at the next start. */
const patience = 60_000;

const reading = readSettings(process.env, process.argv.slice(2), process.cwd());
if ('output' in reading) {
  process.stdout.write(`${reading.output}\n`);
} else if ('error' in reading) {
  process.stderr.write(`tidings: ${reading.error}\n`);
  process.exitCode = configurationError;
} else {
  await run(reading.settings);
}

async function run(settings: Settings): Promise<void> {
  const log = createLog(settings.logLevel);
  const stop = new Promise<undefined>((resolve) => {
    // A terminal and npm may both pass the same signal on: the second one is no other wish.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve(undefined));
  });
  let server: Server;
  try {
    server = await startServer(settings, log);
  } catch (error) {
    process.stderr.write(`tidings: ${messageOf(error)}\n`);
    process.exitCode = 1;
    return;
  }
  process.stdout.write(`${greeting(settings, server)}\n`);
  const failure = await Promise.race([stop, server.failed]);
  if (failure !== undefined) {
    process.stderr.write(`tidings: ${failure.message}\n`);
    process.exitCode = 1;
  }
  process.stdout.write('tidings: finishing what is under way\n');
  setTimeout(() => {
    log.warn('not everything was finished in time; the rest is taken up at the next start');
    process.exit();
  }, patience).unref();
  await server.drain();
}

function greeting(
  { apiKeysFile, dataDir, eventStore, keys, blobs, smtp, slackToken, slackApiUrl, roles }: Settings,
  { url, facadeUrl, bouncesUrl }: Server,
): string {
  const mail = smtp
    ? `mail  ${smtp.host}:${smtp.port}`
    : 'mail  sandbox: nothing is sent; read it in the console (set TIDINGS_SMTP_URL to send)';
  const slack = slackToken
    ? `slack ${new URL(slackApiUrl).host}`
    : 'slack sandbox: nothing is posted; read it in the console (set TIDINGS_SLACK_TOKEN to post)';
  return [
    'tidings is ready',
    ...(roles.includes('api')
      ? [`  API   ${url}`, `  see   ${url} in a browser: the console`]
      : [`  API   not in this process; health, metrics and consumers are at ${url}`]),
    ...(apiKeysFile === undefined ? [] : [`  keys  ${apiKeysFile}: the API asks for one`]),
    `  store ${eventStore ? `EventStoreDB ${nameOf(eventStore.connection)}` : 'embedded, in the data folder'}`,
    ...(facadeUrl === undefined ? [] : [`  esdb  ${facadeUrl}, to read`]),
    ...(bouncesUrl === undefined ? [] : [`  back  ${bouncesUrl}, for mail that comes back`]),
    `  data  ${dataDir}`,
    ...(keys ? [`  keys  Redis ${nameOfRedis(keys)}`] : []),
    ...(blobs ? [`  blobs ${nameOfS3(blobs)}`] : []),
    `  ${mail}`,
    `  ${slack}`,
    `  roles ${roles.join(', ')}`,
  ].join('\n');
}
