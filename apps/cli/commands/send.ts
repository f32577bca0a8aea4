import type { Arguments } from '../arguments.js';
import type { ApiCommand } from '../command.js';
import { exitCodes, usageError } from '../exit-codes.js';
import { attachmentsOf, readBytes } from './attachments.js';
import { showBroadcast } from './broadcasts.js';
import { showNotification, waitOption } from './notifications.js';

export const send: ApiCommand = {
  summary: 'send a notification',
  positionals: [],
  options: {
    to: { value: '<recipient>', help: 'id of the recipient; this, --recipients or --group is required' },
    recipients: { value: '<id,id>', help: 'ids of several, with commas between' },
    group: { value: '<id>', help: 'whoever is in the group' },
    subject: { value: '<text>', help: 'required' },
    text: { value: '<text>', help: 'required' },
    'html-file': { value: '<file>', help: 'the same as HTML' },
    category: { value: '<name>', help: 'what it is about, for preferences' },
    severity: { value: '<name>', help: 'debug, info, success, warning, error or critical' },
    tag: { value: '<name=value>', help: 'to find it by; may be repeated', multiple: true },
    attach: { value: '<file>', help: 'may be repeated', multiple: true },
    'idempotency-key': { value: '<key>', help: 'makes it safe to repeat the command' },
    ...waitOption,
  },
  async run(context) {
    const { api, args, output } = context;
    const seconds = args.seconds('wait');
    const to = recipientsOf(args);
    const [subject, text] = [args.required('subject'), args.required('text')];
    const tags = Object.fromEntries(args.texts('tag').map(parseTag));
    const htmlFile = args.text('html-file');
    const html = htmlFile === undefined ? undefined : (await readBytes(htmlFile)).toString('utf8');
    const attachments = await attachmentsOf(api, args.texts('attach'));
    const [category, severity] = [args.text('category'), args.text('severity')];
    const answer = await api.post<{ readonly id: string; readonly status: string; readonly href: string }>(
      '/v1/notifications',
      { ...to, category, severity, tags, content: { subject, text, html, attachments } },
      { headers: { 'idempotency-key': args.text('idempotency-key') } },
    );
    if (seconds !== undefined) {
      output.remark(`accepted as ${answer.body.id}`);
      return 'recipientId' in to
        ? showNotification(context, answer.body.id, seconds)
        : showBroadcast(context, answer.body.href, seconds);
    }
    output.answer(answer, ({ id, status }) => [output.details({ id, status })]);
    return exitCodes.ok;
  },
};

/** As the API names them. @throws CommandFailed unless they are given in exactly one way */
function recipientsOf(args: Arguments): Readonly<Record<string, unknown>> {
  const [recipientId, several, groupId] = [args.text('to'), args.text('recipients'), args.text('group')];
  const given = [
    recipientId !== undefined && { recipientId },
    several !== undefined && { recipientIds: several.split(',').map((id) => id.trim()) },
    groupId !== undefined && { groupId },
  ].filter((one) => one !== false);
  if (given.length === 0) throw usageError('--to, --recipients or --group is required');
  if (given.length > 1) throw usageError('only one of --to, --recipients and --group may be given');
  return given[0]!;
}

function parseTag(tag: string): [string, string] {
  const equals = tag.indexOf('=');
  if (equals < 1) throw usageError('--tag must look like name=value');
  return [tag.slice(0, equals), tag.slice(equals + 1)];
}
