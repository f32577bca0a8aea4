import { parseArgs } from 'node:util';

export interface Options {
  /** How long to play, in milliseconds. */
  readonly duration: number;
  /** The server that was named; undefined where none was. */
  readonly url: string | undefined;
  /** Where a server is looked for, or started; 0 starts one anywhere. */
  readonly port: number;
  /** What to show the server; undefined where it asks for none. */
  readonly apiKey: string | undefined;
}

export const help = `npm run demo [-- --minutes <n>] [-- --url <url>]

Plays recipients, notifications of every outcome and failing providers through a server, for the console to show.

  --minutes <n>  how long, 0.1 to 1440; 10 unless said otherwise
  --url <url>    the server; else TIDINGS_URL, else the one at http://127.0.0.1:3000 (or the port PORT)
  --help         show this text

Where no server runs, it starts one with stand-ins for the mail server and Slack, which fail on purpose. Its data is in a
temporary folder and is removed at the end. A server that runs already has to be a sandbox; TIDINGS_API_KEY is shown to it.`;

/** Something to put right before the demonstration can begin, or a server that went away; the message says what. */
export class DemoFailed extends Error {}

/** Undefined where the help is asked for. @throws DemoFailed */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): Options | undefined {
  let values: { minutes?: string; url?: string; help?: boolean };
  try {
    const options = { minutes: { type: 'string' }, url: { type: 'string' }, help: { type: 'boolean' } } as const;
    ({ values } = parseArgs({ args: [...args], options }));
  } catch {
    throw new DemoFailed('unknown argument: --help shows what there is');
  }
  if (values.help) return undefined;
  const minutes = /^\d{1,4}(\.\d{1,3})?$/.test(values.minutes ?? '10') ? Number(values.minutes ?? '10') : NaN;
  if (!(minutes >= 0.1 && minutes <= 1_440)) throw new DemoFailed('--minutes must be a number from 0.1 to 1440');
  const url = values.url ?? (env['TIDINGS_URL'] || undefined);
  if (url !== undefined && !/^https?:\/\/[^/?#@]+\/?$/.test(url)) {
    throw new DemoFailed('the URL of the server must look like http://127.0.0.1:3000');
  }
  const port = Number(env['PORT'] || '3000');
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new DemoFailed('PORT must be from 0 to 65535');
  const apiKey = env['TIDINGS_API_KEY'] || undefined;
  return { duration: minutes * 60_000, url: url?.replace(/\/$/, ''), port, apiKey };
}
