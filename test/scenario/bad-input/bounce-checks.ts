import { mailOf, postfixReport } from '#libs/testing/delivery-reports';
import { described, unknownId, type RequestCheck } from './request-checks.js';

type Fields = Readonly<Record<string, unknown>>;

/** Posts a body; tells why nothing is recorded, where it is taken. */
const post =
  (body: unknown, mediaType = 'application/json'): RequestCheck =>
  async (api) => {
    const answer = await api.request<Fields>('POST', '/v1/bounces', body, { 'content-type': mediaType });
    return answer.status === 200
      ? `200, ignored: ${(answer.body['ignored'] as string[]).join(', ')}`
      : described(answer);
  };
const good = { operationId: unknownId, recipient: 'good@example.com', action: 'failed', status: '5.1.1' };
const notice = (fields: Fields): RequestCheck => post({ ...good, ...fields });
const mail = (bytes: Buffer): RequestCheck => post(bytes, 'message/rfc822');
const report = postfixReport({
  to: 'office@example.org',
  recipient: 'good@example.com',
  messageId: `<${unknownId}@example.org>`,
});

/** By the input as the table has it. */
export const bounceChecks: Readonly<Record<string, RequestCheck>> = {
  'a bounce without a body': post(undefined),
  'a bounce of another media type': post('a,b', 'text/csv'),
  'a bounce that is malformed JSON': post('{'),
  'a bounce that is an array': post([good]),
  'a bounce of 65537 bytes of JSON': notice({ diagnostic: 'x'.repeat(65_537) }),
  'an unknown field of a bounce': notice({ provider: 'x' }),
  'a bounce that names no mail': notice({ operationId: null }),
  'a bounce that names its mail in two ways': notice({ messageId: '<a@example.org>' }),
  'a bounce of a mail that is not known': notice({}),
  'a bounce of a mail by an id that is no UUID': notice({ operationId: '7' }),
  'a bounce of a Message-ID that is not known': notice({ operationId: null, messageId: '<a@example.org>' }),
  'a bounce without a recipient': notice({ recipient: undefined }),
  'a bounce whose recipient is no address': notice({ recipient: 'good' }),
  'a bounce with an action that is none': notice({ action: 'lost' }),
  'a bounce with a status code that is none': notice({ status: '550' }),
  'a bounce with a diagnostic of 1001 characters': notice({ diagnostic: 'x'.repeat(1_001) }),
  'a mail that came back without a byte': mail(Buffer.alloc(0)),
  'a mail that came back and is no report': mail(mailOf('Subject: Out of office', '', 'I am away.')),
  'a report that cannot be read': mail(Buffer.from(report.toString().replace('Action: failed', 'Action: lost'))),
  'a report about a mail that is not known': mail(report),
};
