import type { HandlingView, ParkedDetail, ParkedItem, ParkedPage, Redriven } from '#libs/operator';
import type { Arguments, OptionSpecs } from '../arguments.js';
import type { ApiCommand, Context } from '../command.js';
import { exitCodes, usageError } from '../exit-codes.js';

const filterOptions: OptionSpecs = {
  consumer: { value: '<name>', help: 'only what this consumer has parked' },
  type: { value: '<name>', help: 'only records of this type' },
  stream: { value: '<name>', help: 'only records of this stream' },
  'correlation-id': { value: '<id>', help: 'only records of this flow, such as a notification' },
  error: { value: '<text>', help: 'only where the last error contains this' },
};

function filterOf(args: Arguments): Record<string, string | undefined> {
  return {
    consumer: args.text('consumer'),
    type: args.text('type'),
    stream: args.text('stream'),
    correlationId: args.text('correlation-id'),
    error: args.text('error'),
  };
}

export const parked: ApiCommand = {
  summary: 'the records that consumers have given up; with an id, all of one',
  positionals: ['[id]'],
  options: {
    ...filterOptions,
    state: { value: '<state>', help: 'parked, or archived; else parked' },
    limit: { value: '<number>', help: '1 to 200; else 50' },
    cursor: { value: '<cursor>', help: 'where the page before has ended' },
  },
  async run(context) {
    const { api, args, output } = context;
    const [id] = args.positionals;
    if (id !== undefined) {
      const detail = await api.get<ParkedDetail>(`/v1/parked/${encodeURIComponent(id)}`);
      output.answer(detail, (body) => detailParts(context, body));
      return exitCodes.ok;
    }
    const paging = { state: args.text('state'), limit: args.text('limit'), cursor: args.text('cursor') };
    const page = await api.get<ParkedPage>('/v1/parked', { query: { ...filterOf(args), ...paging } });
    output.answer(page, ({ items }) => [parkedTable(context, items)]);
    const { nextCursor, omitted } = page.body;
    if (nextCursor !== null) output.remark(`there are more: --cursor ${nextCursor}`);
    if (omitted !== undefined) output.remark(`parked, and not listed before others are released: ${omitted}`);
    return exitCodes.ok;
  },
};

function parkedTable({ output }: Context, items: readonly ParkedItem[]): string {
  return output.table(items, [
    { head: 'id', value: ({ id }) => id },
    { head: 'consumer', value: ({ consumer }) => consumer },
    { head: 'type', value: ({ record }) => record.type, cut: true },
    { head: 'parked', value: ({ parkedAt }) => parkedAt },
    { head: 'tries', value: ({ tries }) => tries.length, align: 'right' },
    { head: 'error', value: ({ tries }) => tries.at(-1)?.error, cut: true },
  ]);
}

function detailParts({ output }: Context, item: ParkedDetail): readonly string[] {
  const { record, event } = item;
  return [
    output.details({
      id: item.id,
      state: item.state,
      consumer: item.consumer,
      type: record.type,
      stream: record.stream,
      revision: record.revision,
      position: record.position,
      correlation: item.correlationId,
      parked: item.parkedAt,
      archived: item.archivedAt,
      unreadable: event?.unreadable,
      data: event === null ? '(the store does not hold it any more)' : event.data,
    }),
    output.table(item.tries, [
      { head: 'tried', value: ({ at }) => at },
      { head: 'error', value: ({ error }) => error },
    ]),
  ];
}

export const redrive: ApiCommand = {
  summary: 'hand parked records out again',
  positionals: ['[id…]'],
  options: {
    ...filterOptions,
    all: { help: 'all that are parked, where nothing else says which' },
    'dry-run': { help: 'only tell which' },
  },
  async run({ api, args, output }) {
    const ids = args.positionals.length > 0 ? args.positionals : undefined;
    const filter = { ids, ...filterOf(args) };
    if (Object.values(filter).every((value) => value === undefined) && !args.flag('all'))
      throw usageError('which ones? Name ids or conditions, or all of them by --all');
    const answer = await api.post<Redriven>('/v1/parked:redrive', { filter, dryRun: args.flag('dry-run') });
    output.answer(answer, ({ count, ids: redriven }) => [
      `${args.flag('dry-run') ? 'would be redriven' : 'redriven'}: ${count}`,
      ...(redriven.length > 0 ? [redriven.join('\n')] : []),
    ]);
    const { count, pending = 0 } = answer.body;
    if (pending > 0) output.remark(`asked for, and not done yet by the processes that have them: ${pending}`);
    return count + pending > 0 ? exitCodes.ok : exitCodes.no;
  },
};

export const archive: ApiCommand = {
  summary: 'give a parked record up for good',
  positionals: ['<id>'],
  options: {},
  async run(context) {
    const id = encodeURIComponent(context.args.positionals[0]!);
    const answer = await context.api.post<ParkedItem>(`/v1/parked/${id}:archive`);
    context.output.answer(answer, ({ id: archived, state }) => [context.output.details({ id: archived, state })]);
    if (answer.body.state === 'parked') context.output.remark('asked for, and not done yet by the process that has it');
    return exitCodes.ok;
  },
};

export const handling: ApiCommand = {
  summary: 'what every consumer did with a record, and when',
  positionals: ['<stream>', '<revision>'],
  options: {},
  async run({ api, args, output }) {
    const [stream, revision] = args.positionals;
    const answer = await api.get<HandlingView>('/v1/handling', { query: { stream, revision } });
    output.answer(answer, ({ items }) => [
      output.table(
        items.flatMap(({ consumer, transitions }) => transitions.map((transition) => ({ consumer, ...transition }))),
        [
          { head: 'consumer', value: ({ consumer }) => consumer },
          { head: 'what', value: ({ type }) => type },
          { head: 'at', value: ({ at }) => at },
          { head: 'due', value: ({ dueAt }) => dueAt },
          { head: 'error', value: ({ error }) => error, cut: true },
        ],
      ),
    ]);
    return exitCodes.ok;
  },
};
