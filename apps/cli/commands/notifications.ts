import type { RecordView } from '#libs/http';
import type { NotificationView } from '#libs/notification';
import type { Answer, ApiClient } from '../api-client.js';
import type { ApiCommand, Context } from '../command.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';

/** Seconds that one request waits at most. */
const longestRequest = 60;

export const waitOption = {
  wait: { value: '[seconds]', bare: '60', help: 'wait for the end, 60 seconds unless said otherwise' },
} as const;

/** Asks until it is at its end or the time is over. @param path of a notification or a broadcast */
export async function waitForEnd<View extends { readonly completedAt: string | null }>(
  api: ApiClient,
  path: string,
  seconds: number,
): Promise<Answer<View>> {
  const end = performance.now() + seconds * 1_000;
  for (;;) {
    const left = Math.max(0, (end - performance.now()) / 1_000);
    const wait = Math.min(longestRequest, left);
    const query = wait > 0 ? { wait: wait.toFixed(3) } : {};
    const answer = await api.get<View>(path, { query, wait: wait * 1_000 });
    if (answer.body.completedAt !== null || left <= longestRequest) return answer;
  }
}

/** Shows the notification, at its end where it is worth waiting for. */
export async function showNotification(
  { api, output }: Context,
  id: string,
  seconds: number | undefined,
): Promise<ExitCode> {
  const answer = await waitForEnd<NotificationView>(api, pathOf(id), seconds ?? 0);
  output.answer(answer, (view) => viewParts(output, view));
  if (seconds === undefined) return exitCodes.ok;
  if (answer.body.completedAt === null) return exitCodes.notYet;
  return answer.body.status === 'sent' ? exitCodes.ok : exitCodes.no;
}

function viewParts(output: Context['output'], view: NotificationView): readonly string[] {
  const operations = Object.entries(view.channels).flatMap(([channel, { operations }]) =>
    operations.map((operation) => ({ channel, ...operation })),
  );
  const details = output.details({
    id: view.id,
    status: view.status,
    reason: view.reason,
    recipient: view.recipientId,
    category: view.category,
    severity: view.severity,
    subject: view.subject,
    tags: Object.entries(view.tags)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
    requested: view.requestedAt,
    completed: view.completedAt,
    sandbox: view.sandbox ? 'yes: nothing was sent' : null,
  });
  if (operations.length === 0) return [details];
  const table = output.table(operations, [
    { head: 'channel', value: ({ channel }) => channel },
    { head: 'status', value: ({ status }) => status },
    { head: 'to', value: ({ to }) => to, cut: true },
    { head: 'attempts', value: ({ attempts }) => attempts, align: 'right' },
    { head: 'at', value: ({ at }) => at },
    { head: 'error', value: ({ error }) => error?.message ?? error?.reason, cut: true },
  ]);
  return [details, table];
}

function pathOf(id: string): string {
  return `/v1/notifications/${encodeURIComponent(id)}`;
}

export const show: ApiCommand = {
  summary: 'what became of a notification',
  positionals: ['<id>'],
  options: waitOption,
  run: (context) => showNotification(context, context.args.positionals[0]!, context.args.seconds('wait')),
};

export const events: ApiCommand = {
  summary: 'every record of a notification, in order',
  positionals: ['<id>'],
  options: {},
  async run({ api, args, output }) {
    const path = `${pathOf(args.positionals[0]!)}/events`;
    output.answer(await api.get<{ items: RecordView[] }>(path), ({ items }) => [
      output.table(items, [
        { head: 'position', value: ({ position }) => position, align: 'right' },
        { head: 'at', value: ({ occurredAt }) => occurredAt },
        { head: 'type', value: ({ type, unreadable }) => (unreadable === undefined ? type : `${type} (unreadable)`) },
        { head: 'stream', value: ({ stream }) => stream, cut: true },
        { head: 'revision', value: ({ revision }) => revision, align: 'right' },
      ]),
    ]);
    return exitCodes.ok;
  },
};

export const cancel: ApiCommand = {
  summary: 'keep what is not sent yet of a notification from being sent',
  positionals: ['<id>'],
  options: {},
  async run({ api, args, output }) {
    const answer = await api.post<{ readonly id: string; readonly status: string }>(
      `${pathOf(args.positionals[0]!)}:cancel`,
    );
    output.answer(answer, ({ id, status }) => [output.details({ id, status })]);
    return exitCodes.ok;
  },
};
