import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Api, apiOf, eventually, Program, temporaryFolder } from '../support/index.js';
import { applied, changesOf, quotationsOf, root } from './examples/page.js';
import { workCheckout, workedExamples, type WorkedCheckout } from './examples/worked-checkout.js';

describe.each(workedExamples)('$page', ({ page }) => {
  test('quotes what is there', () => {
    const quotations = quotationsOf(page);
    expect(quotations.length).toBeGreaterThanOrEqual(4);
    for (const { file, code } of quotations) expect(readFileSync(new URL(file, root), 'utf8')).toContain(code);
  });

  test('changes what is there', () => {
    for (const change of changesOf(page)) applied(readFileSync(new URL(change.file, root), 'utf8'), change);
  });
});

describe('a server with all of it', () => {
  let checkout: WorkedCheckout;
  let data: Awaited<ReturnType<typeof temporaryFolder>>;
  let webhook: WebhookDouble;
  let server: Program;
  let api: Api;

  beforeAll(async () => {
    checkout = await workCheckout();
    [data, webhook] = await Promise.all([temporaryFolder(), WebhookDouble.start()]);
    server = new Program(process.execPath, [checkout.program], {
      cwd: data.path,
      env: { PORT: '0', TIDINGS_DATA_DIR: data.path, TIDINGS_WEBHOOK_URL: webhook.url },
    });
    api = new Api(await apiOf(server));
    const channels = { webhook: { to: 'ada-7' } };
    expect((await api.request('PUT', '/v1/recipients/ada', { channels })).status).toBe(201);
  }, 300_000);

  afterAll(async () => {
    server?.process.kill('SIGKILL');
    await server?.ended();
    webhook?.close();
    await Promise.all([checkout?.remove(), data?.remove()]);
  });

  test('posts a notification to the webhook', async () => {
    const view = await api.finalView(await api.notify('ada', { content: { subject: 'Hello', text: 'How are you?' } }));
    expect(view).toMatchObject({ status: 'sent', sandbox: false });
    const [operation] = operationsOf(view);
    expect(operation).toMatchObject({ type: 'PostToWebhook', status: 'succeeded', to: 'ada-7', attempts: 1 });
    expect(webhook.taken.at(-1)).toEqual({ key: operation!.id, to: 'ada-7', subject: 'Hello', text: 'How are you?' });
  });

  test('tries again what may pass, under the same key', async () => {
    webhook.answers.push(503, 429);
    const before = webhook.asked.length;
    const view = await api.finalView(await api.notify('ada'));
    expect(operationsOf(view)[0]).toMatchObject({ status: 'succeeded', attempts: 3 });
    expect(new Set(webhook.asked.slice(before)).size).toBe(1);
  });

  test('gives up what is refused for good, and tells what was said', async () => {
    webhook.answers.push(410);
    const view = await api.finalView(await api.notify('ada'));
    expect(view).toMatchObject({ status: 'failed', reason: 'couldNotSend' });
    const error = { reason: 'permanent', stage: 'send', code: 410, message: 'the webhook answered 410' };
    expect(operationsOf(view)[0]).toMatchObject({ status: 'failed', attempts: 1, error });
  });

  test('counts what was asked for', async () => {
    const day = new Date().toISOString().slice(0, 10);
    await api.finalView(await api.notify('ada', { category: 'billing' }));
    const counts = await eventually(async () => {
      const { body } = await api.request<{ counts?: Record<string, number> }>('GET', `/v1/daily-counts/${day}`);
      return body.counts?.['billing'] === undefined ? undefined : body.counts;
    });
    expect(counts).toMatchObject({ billing: 1, general: 3 });
    expect((await api.request('GET', '/v1/daily-counts/1999-01-01')).status).toBe(404);
  });

  test('reminds until the last time', async () => {
    const before = webhook.taken.length;
    const id = await remind({ every: 1, times: 2 });
    const view = await eventually(async () => {
      const { body } = await api.request('GET', `/v1/reminders/${id}`);
      return body['status'] === 'exhausted' ? body : undefined;
    });
    expect(view).toEqual({ id, status: 'exhausted', rounds: 2 });
    await eventually(async () => (webhook.taken.length === before + 2 ? true : undefined));
    expect(webhook.taken.at(-1)).toMatchObject({ subject: 'Water', text: 'The plants are thirsty.' });
  });

  test('reminds no more of what is finished', async () => {
    const id = await remind({ every: 3_600, times: 5 });
    await eventually(async () => {
      const { body } = await api.request('GET', `/v1/reminders/${id}`);
      return body['rounds'] === 1 ? true : undefined;
    });
    for (let times = 0; times < 2; times += 1) {
      expect((await api.request('POST', `/v1/reminders/${id}:finish`)).status).toBe(202);
    }
    const view = await eventually(async () => {
      const { body } = await api.request('GET', `/v1/reminders/${id}`);
      return body['status'] === 'finished' ? body : undefined;
    });
    expect(view).toEqual({ id, status: 'finished', rounds: 1 });
    expect((await api.request('POST', '/v1/reminders/nothing:finish')).status).toBe(404);
  });

  test('describes all of it', async () => {
    const { body } = await api.request<{ paths: Record<string, unknown> }>('GET', '/openapi.json');
    const paths = ['/v1/daily-counts/{day}', '/v1/reminders', '/v1/reminders/{id}', '/v1/reminders/{id}:finish'];
    expect(Object.keys(body.paths)).toEqual(expect.arrayContaining(paths));
    const consumers = await api.request<{ items: { name: string; state: string }[] }>('GET', '/v1/consumers');
    const running = consumers.body.items.filter(({ state }) => state === 'running').map(({ name }) => name);
    expect(running).toEqual(
      expect.arrayContaining(['webhook.post-bot', 'daily-counts.projector', 'reminder.remind-bot']),
    );
  });

  async function remind(how: { readonly every: number; readonly times: number }): Promise<string> {
    const reminder = { recipientId: 'ada', subject: 'Water', text: 'The plants are thirsty.', ...how };
    const { status, body } = await api.request<{ id: string }>('POST', '/v1/reminders', reminder);
    expect(status).toBe(202);
    return body.id;
  }
});

interface WebhookOperation {
  readonly id: string;
  readonly [field: string]: unknown;
}

/** The product's own types know of no such channel. */
function operationsOf(view: { readonly channels: object }): readonly WebhookOperation[] {
  const { webhook } = view.channels as { readonly webhook?: { readonly operations: readonly WebhookOperation[] } };
  return webhook?.operations ?? [];
}

/** The system behind the webhook: takes what comes, unless it was told to answer something else. */
class WebhookDouble {
  readonly taken: object[] = [];
  /** The keys of all requests. */
  readonly asked: (string | undefined)[] = [];
  /** Statuses of the next answers. */
  readonly answers: number[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<WebhookDouble> {
    const server = createServer();
    const double = new WebhookDouble(server);
    server.on('request', (request: IncomingMessage, response) => {
      void json(request).then((body) => {
        const status = double.answers.shift() ?? 204;
        const key = request.headers['idempotency-key'] as string | undefined;
        double.asked.push(key);
        if (status === 204) double.taken.push({ key, ...(body as object) });
        response.writeHead(status).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
