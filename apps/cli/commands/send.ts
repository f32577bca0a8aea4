import type { Command } from '../command.js';
import { exitCodes, usageError } from '../exit-codes.js';
import { attachmentsOf, readBytes } from './attachments.js';
import { showNotification, waitOption } from './notifications.js';

export const send: Command = {
  summary: 'send a notification',
  positionals: [],
  options: {
    to: { value: '<recipient>', help: 'id of the recipient; required' },
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
    const [recipientId, subject, text] = [args.required('to'), args.required('subject'), args.required('text')];
    const tags = Object.fromEntries(args.texts('tag').map(parseTag));
    const htmlFile = args.text('html-file');
    const html = htmlFile === undefined ? undefined : (await readBytes(htmlFile)).toString('utf8');
    const attachments = await attachmentsOf(api, args.texts('attach'));
    const [category, severity] = [args.text('category'), args.text('severity')];
    const answer = await api.post<{ readonly id: string; readonly status: string }>(
      '/v1/notifications',
      { recipientId, category, severity, tags, content: { subject, text, html, attachments } },
      { headers: { 'idempotency-key': args.text('idempotency-key') } },
    );
    if (seconds !== undefined) {
      output.remark(`accepted as ${answer.body.id}`);
      return showNotification(context, answer.body.id, seconds);
    }
    output.answer(answer, ({ id, status }) => [output.details({ id, status })]);
    return exitCodes.ok;
  },
};

function parseTag(tag: string): [string, string] {
  const equals = tag.indexOf('=');
  if (equals < 1) throw usageError('--tag must look like name=value');
  return [tag.slice(0, equals), tag.slice(equals + 1)];
}
