import type { ConsumerView } from '#libs/operator';
import type { ApiCommand, Context } from '../command.js';
import { exitCodes } from '../exit-codes.js';

function consumerTable({ output }: Context, items: readonly ConsumerView[]): string {
  return output.table(items, [
    { head: 'name', value: ({ name }) => name },
    { head: 'state', value: ({ state }) => state },
    { head: 'position', value: ({ position }) => position, align: 'right' },
    { head: 'lag', value: ({ lag }) => lag, align: 'right' },
    { head: 'handled', value: ({ handled }) => handled, align: 'right' },
    { head: 'waiting', value: ({ waiting }) => waiting, align: 'right' },
    { head: 'retrying', value: ({ retrying }) => retrying, align: 'right' },
    { head: 'parked', value: ({ parked }) => parked, align: 'right' },
    { head: 'last error', value: ({ lastError }) => lastError?.error, cut: true },
  ]);
}

export const consumers: ApiCommand = {
  summary: 'the consumers of the server: how far they are, and how they fare',
  positionals: [],
  options: {},
  async run(context) {
    const answer = await context.api.get<{ items: ConsumerView[] }>('/v1/consumers');
    context.output.answer(answer, ({ items }) => [consumerTable(context, items)]);
    return exitCodes.ok;
  },
};

function turn(how: 'pause' | 'resume', summary: string): ApiCommand {
  return {
    summary,
    positionals: ['<consumer>'],
    options: {},
    async run(context) {
      const name = encodeURIComponent(context.args.positionals[0]!);
      const answer = await context.api.post<ConsumerView>(`/v1/consumers/${name}:${how}`);
      context.output.answer(answer, (consumer) => [consumerTable(context, [consumer])]);
      return exitCodes.ok;
    },
  };
}

export const pause = turn('pause', 'keep a consumer from handing out records, until it is resumed');
export const resume = turn('resume', 'let a paused consumer go on where it was');
