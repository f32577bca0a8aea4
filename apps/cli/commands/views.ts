import { setTimeout as delay } from 'node:timers/promises';
import type { ViewView } from '#libs/operator';
import type { Answer } from '../api-client.js';
import type { Command, Context } from '../command.js';
import { exitCodes, usageError, type ExitCode } from '../exit-codes.js';
import { percent, progressText } from '../output/progress.js';

/** Milliseconds between two looks at how far a rebuild is. */
const lookEvery = 250;
const actions = ['rebuild', 'cancel'] as const;

export const views: Command = {
  summary: 'the views; rebuild <name> builds one anew, cancel <name> gives that up',
  positionals: ['[rebuild|cancel]', '[name]'],
  options: { 'no-wait': { help: 'of rebuild: end when it is under way' } },
  async run(context) {
    const { api, args, output } = context;
    const [action, name] = args.positionals;
    if (action === undefined) {
      const answer = await api.get<{ readonly items: readonly ViewView[] }>('/v1/views');
      output.answer(answer, ({ items }) => [table(context, items)]);
      return exitCodes.ok;
    }
    if (!actions.some((one) => one === action)) throw usageError(`views ${action}? It is rebuild or cancel`);
    if (name === undefined) throw usageError('which view? tidings views lists them');
    const answer = await api.post<ViewView>(`/v1/views/${encodeURIComponent(name)}:${action}`);
    if (action === 'rebuild' && !args.flag('no-wait')) return follow(context, answer);
    output.answer(answer, (view) => [table(context, [view])]);
    return exitCodes.ok;
  },
};

function table({ output }: Context, items: readonly ViewView[]): string {
  return output.table(items, [
    { head: 'view', value: ({ name }) => name },
    { head: 'state', value: ({ state }) => state },
    { head: 'version', value: ({ version }) => version, align: 'right' },
    { head: 'since', value: ({ servingSince }) => servingSince },
    { head: 'building', value: ({ rebuild }) => rebuild?.version, align: 'right' },
    { head: 'done', value: ({ rebuild }) => rebuild && percent(rebuild.done, rebuild.total), align: 'right' },
    { head: 'error', value: ({ rebuild }) => rebuild?.error, cut: true },
  ]);
}

/** Shows how far it is until it serves, or was given up. Interrupted, the rebuild goes on. */
async function follow({ api, output }: Context, first: Answer<ViewView>): Promise<ExitCode> {
  const { name } = first.body;
  let answer = first;
  let wanted = 0;
  for (;;) {
    const { rebuild, version } = answer.body;
    // Killed, the server builds another version anew.
    wanted = rebuild?.version ?? wanted;
    if (rebuild === null) {
      const serves = version >= wanted;
      const end = { done: serves ? 1 : 0, total: 1, rate: 0, error: null };
      output.progress(answer, () => progressText(`version ${serves ? version : wanted}`, end));
      output.endProgress(serves ? `${name}: version ${version} serves` : `${name}: version ${wanted} was given up`);
      return serves ? exitCodes.ok : exitCodes.no;
    }
    output.progress(answer, () => progressText(`version ${wanted}`, rebuild));
    await delay(lookEvery);
    answer = await api.get<ViewView>(`/v1/views/${encodeURIComponent(name)}`);
  }
}
