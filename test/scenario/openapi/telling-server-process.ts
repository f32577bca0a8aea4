import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventsOf } from '../../support/index.js';
import type { Told } from './telling-server.js';

const program = fileURLToPath(new URL('./telling-server.js', import.meta.url));

export interface TellingServer {
  readonly url: string;
  /** As clients see them: `POST /v1/notifications/{id}:cancel`. Without the pages of the console. */
  readonly routes: readonly string[];
  /** Of all routes, those of the console included, the ones that do not say what they need. */
  readonly undeclared: readonly string[];
  stop(): Promise<void>;
}

/** A server that tells which routes it has registered. */
export async function startTellingServer(dataDir: string): Promise<TellingServer> {
  const child = fork(program, {
    cwd: dataDir,
    env: { PORT: '0', TIDINGS_DATA_DIR: dataDir, ...(await eventsOf(dataDir)) },
    silent: true,
  });
  let output = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (output += text));
  const exited = once(child, 'exit');
  const told = await Promise.race([once(child, 'message'), exited.then(() => undefined)]);
  if (told === undefined) throw new Error(`the server ended before it had started:\n${output}`);
  const { url, routes, undeclared } = told[0] as Told;
  return {
    url,
    routes: apiRoutes(routes),
    undeclared,
    async stop() {
      child.disconnect();
      await exited;
    },
  };
}

function apiRoutes(registered: readonly string[]): readonly string[] {
  const all = new Set(registered);
  // The console has each of its pages with everything below it.
  const isPage = (route: string) => route === 'GET /' || route.endsWith('*') || all.has(`${route}/*`);
  return registered.filter((route) => !route.startsWith('HEAD ') && !isPage(route)).map(templateOf);
}

/** `/v1/notifications/:id(.+)::cancel` is `/v1/notifications/{id}:cancel`. */
function templateOf(route: string): string {
  return route.replaceAll(/::|:(\w+)(?:\(.*?\))?/g, (_, name?: string) => (name === undefined ? ':' : `{${name}}`));
}
