import { DemoApi } from './api.js';
import type { MailProvider } from './mail-provider.js';
import { DemoFailed, type Options } from './options.js';
import { startOwnServer } from './own-server.js';

/** Where the demonstration is played. */
export interface Stage {
  readonly api: DemoApi;
  /** The mail server, where it is the demonstration's own and can fail. */
  readonly mail: MailProvider | undefined;
  close(): Promise<void>;
}

/** The server that was named, else the one that runs, else one of its own. @throws DemoFailed */
export async function openStage({ url, port, apiKey }: Options): Promise<Stage> {
  const running = url ?? (port === 0 ? undefined : await findServer(port));
  if (running === undefined) {
    const { url: own, mail, close } = await startOwnServer(port);
    return { api: new DemoApi(own), mail, close };
  }
  const api = new DemoApi(running, apiKey);
  await requireSandbox(api);
  return { api, mail: undefined, close: () => Promise.resolve() };
}

async function findServer(port: number): Promise<string | undefined> {
  const url = `http://127.0.0.1:${port}`;
  try {
    const response = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(2_000) });
    const answer: unknown = await response.json();
    return (answer as { readonly status?: unknown } | null)?.status === 'up' ? url : undefined;
  } catch {
    return undefined;
  }
}

/** Tells somebody who cannot exist: what a sandbox keeps can be read, what was sent cannot. @throws DemoFailed */
async function requireSandbox(api: DemoApi): Promise<void> {
  const channels = { email: { address: 'nobody@tidings-demo.invalid' }, slack: { channel: 'tidings-demo-nobody' } };
  const preferences = { default: { channels: ['email', 'slack'] } };
  await api.put('/v1/recipients/demo-probe', { displayName: 'Nobody', channels, preferences });
  const expiresAt = new Date(Date.now() + 10_000).toISOString();
  const content = { subject: 'Is this a sandbox?', text: 'Then nobody is told.' };
  const view = await api.view(await api.tell({ recipientId: 'demo-probe', expiresAt, content }), 12);
  const operations = Object.values(view.channels).flatMap((channel) => channel.operations);
  if (operations.length > 0 && operations.every(({ message }) => message !== null)) return;
  throw new DemoFailed(
    `the server at ${api.url} is no sandbox: it would send what is played. Stop it, and npm run demo starts one of its own.`,
  );
}
