import { eventually, type Answer, type Api } from '../../support/index.js';

type Fields = Readonly<Record<string, unknown>>;

/** Does what a row says and tells what came of it, in the words of the table. */
export type RequestCheck = (api: Api) => Promise<string>;

const problemPrefix = '/problems/';

/** The status, and the fields that are wrong or else the problem's type: `422 content.subject`, `404 not-found`. */
export function described({ status, body }: Answer<Fields>): string {
  const { type, errors } = body as { type?: string; errors?: { path: string }[] };
  if (errors)
    return `${status} ${errors
      .map(({ path }) => (path === '' ? 'body' : path))
      .sort()
      .join(', ')}`;
  return type === undefined ? String(status) : `${status} ${type.replace(problemPrefix, '')}`;
}

async function outcomeOf(api: Api, answer: Answer<Fields>): Promise<string> {
  if (answer.status !== 202) return described(answer);
  const { status, reason } = await api.finalView(answer.body.id as string);
  return `202, then ${status}${reason === null ? '' : `: ${reason}`}`;
}

export const goodContent = { subject: 'Hello', text: 'How are you?' };
const goodFile = { fileName: 'a.txt', mediaType: 'text/plain', content: 'QQ==' };

/** Posts a good notification with these fields changed; those that are undefined are left out. */
const post =
  (fields: Fields, headers: Readonly<Record<string, string>> = {}): RequestCheck =>
  async (api) => {
    const body = { recipientId: 'good', content: goodContent, ...fields };
    return outcomeOf(api, await api.request('POST', '/v1/notifications', body, headers));
  };

/** Posts a good notification to several recipients. */
const toMany =
  (fields: Fields): RequestCheck =>
  async (api) => {
    const answer = await api.request('POST', '/v1/notifications', { content: goodContent, ...fields });
    if (answer.status !== 202) return described(answer);
    const { body } = await api.request('GET', `${answer.body.href as string}?wait=20`);
    return `202, then ${body.status as string}: ${body.reason as string}`;
  };

const content = (fields: Fields): RequestCheck => post({ content: { ...goodContent, ...fields } });
const attachment = (fields: Fields): RequestCheck => content({ attachments: [{ ...goodFile, ...fields }] });

/** Posts a body as it is. */
const raw =
  (body: string | Uint8Array | undefined, headers: Readonly<Record<string, string>> = {}): RequestCheck =>
  async (api) =>
    outcomeOf(api, await api.request('POST', '/v1/notifications', body, headers));

/** Bytes that an upload may have: the server of these checks has the smallest limit there is. */
export const uploadLimit = 1_048_576;

/** Uploads a body; one that comes piece by piece tells no length. */
const upload =
  (body: RequestInit['body']): RequestCheck =>
  async (api) => {
    const headers = { authorization: `Bearer ${api.key}` };
    const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit;
    const response = await fetch(`${api.url}/v1/blobs`, init);
    return described({
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Fields,
    });
  };

function pieces(length: number): ReadableStream<Uint8Array> {
  return new Blob([new Uint8Array(length)]).stream();
}

/** Puts a good recipient with these fields changed. */
const put =
  (fields: Fields, id = 'bad', headers: Readonly<Record<string, string>> = {}): RequestCheck =>
  async (api) =>
    described(await api.request('PUT', `/v1/recipients/${id}`, { channels: {}, ...fields }, headers));

const putGroup =
  (fields: Fields, id = 'bad', headers: Readonly<Record<string, string>> = {}): RequestCheck =>
  async (api) =>
    described(await api.request('PUT', `/v1/groups/${id}`, fields, headers));

/** Changes the members of a group that exists. */
const changeMembers =
  (fields: Fields, headers: Readonly<Record<string, string>> = {}): RequestCheck =>
  async (api) => {
    await api.request('PUT', '/v1/groups/good', {});
    return described(await api.request('POST', '/v1/groups/good/members', fields, headers));
  };

const address = (text: string): RequestCheck => put({ channels: { email: { address: text } } });

export const get =
  (path: string, headers: Readonly<Record<string, string>> = {}): RequestCheck =>
  async (api) =>
    described(await api.request('GET', path, undefined, headers));

export const live = { accept: 'text/event-stream' };

export const unknownId = '0197a000-0000-7000-8000-000000000000';
const manyTags = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`tag-${index}`, 'x']));

/** By the input as the table has it. */
export const requestChecks: Readonly<Record<string, RequestCheck>> = {
  // The body.
  'no body': raw(undefined),
  'malformed JSON': raw('{"recipientId": "good", '),
  'bytes that are not UTF-8': raw(Buffer.from('{"recipientId": "\xff"}', 'latin1')),
  'an array': raw('[]'),
  null: raw('null'),
  'nested deeper than 64 levels': raw(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`),
  'a field __proto__': raw('{"recipientId": "good", "content": {"subject": "a", "text": "b", "__proto__": {}}}'),
  'another media type': raw('recipientId=good', { 'content-type': 'application/x-www-form-urlencoded' }),
  '10 MB': raw(JSON.stringify({ recipientId: 'good', content: { subject: 'a', text: 'x'.repeat(10_000_000) } })),
  'an unknown field': post({ recipient: 'good' }),
  'an unknown field further inside': content({ attachments: [{ ...goodFile, size: 1 }] }),
  'an action name of another kind': async (api) =>
    described(await api.request('POST', '/v1/notifications:dispatch', { items: [] })),

  // Who, and what of.
  'no recipientId': post({ recipientId: undefined }),
  'recipientId a number': post({ recipientId: 42 }),
  'recipientId with a slash': post({ recipientId: 'a/b' }),
  'recipientId of 201 characters': post({ recipientId: 'x'.repeat(201) }),
  'recipientId with a line break': post({ recipientId: 'a\r\nb' }),
  'recipientIds beside recipientId': post({ recipientIds: ['good'] }),
  'groupId beside recipientId': post({ groupId: 'good' }),
  'recipientIds beside groupId': toMany({ recipientIds: ['good'], groupId: 'good' }),
  'recipientIds empty': toMany({ recipientIds: [] }),
  '1001 recipientIds': toMany({ recipientIds: Array.from({ length: 1_001 }, (_, index) => `user-${index}`) }),
  'recipientIds with one of them twice': toMany({ recipientIds: ['good', 'good'] }),
  'recipientIds a text': toMany({ recipientIds: 'good' }),
  'recipientIds with a slash in one of them': toMany({ recipientIds: ['good', 'a/b'] }),
  'one of recipientIds that looks sealed': toMany({ recipientIds: ['good', 'sealed.v1.abc.address.AAAA'] }),
  'groupId with a slash': toMany({ groupId: 'a/b' }),
  'groupId that looks sealed': toMany({ groupId: 'sealed.v1.abc.address.AAAA' }),
  'groupId of a group that does not exist': toMany({ groupId: 'nobody' }),
  'a severity that is none': post({ severity: 'urgent' }),
  'category with a line break': post({ category: 'a\nb' }),
  'category empty': post({ category: '' }),
  'about with an unknown field': post({ about: { invoice: '7' } }),
  '51 tags': post({ tags: manyTags }),
  'a tag that is no text': post({ tags: { invoice: 7 } }),
  'a tag of 257 characters': post({ tags: { invoice: 'x'.repeat(257) } }),
  'a tag with a line break': post({ tags: { invoice: 'a\r\nb' } }),
  'a tag that looks sealed': post({ tags: { invoice: 'sealed.v1.abc.address.AAAA' } }),
  'an id in about that looks sealed': post({ about: { entityId: 'sealed.v1.abc.address.AAAA' } }),
  'recipientId that looks sealed': post({ recipientId: 'sealed.v1.abc.address.AAAA' }),
  'category that looks sealed': post({ category: 'sealed.v1.abc.address.AAAA' }),
  'deliverAt without a time zone': post({ deliverAt: '2026-01-31T12:00:00' }),
  'deliverAt on a day that does not exist': post({ deliverAt: '2026-02-30T12:00:00Z' }),
  'deliverAt at the end of the year 9999': async (api) => {
    const id = await api.notify('good', { deliverAt: '9999-12-31T23:59:59Z' });
    return eventually(async () => ((await api.view(id)).status === 'scheduled' ? '202, then scheduled' : undefined));
  },
  'expiresAt a number': post({ expiresAt: 1_800_000_000 }),
  'expiresAt at the end of the year 9999': post({ expiresAt: '9999-12-31T23:59:59Z' }),
  'expiresAt in the past': post({ expiresAt: '2020-01-31T12:00:00Z' }),
  'Idempotency-Key empty': post({}, { 'idempotency-key': '' }),
  'Idempotency-Key of 256 characters': post({}, { 'idempotency-key': 'x'.repeat(256) }),
  'Idempotency-Key used before for another body': async (api) => {
    await post({}, { 'idempotency-key': 'used' })(api);
    return post({ tags: { other: 'yes' } }, { 'idempotency-key': 'used' })(api);
  },
  'a traceparent that is none': post({}, { traceparent: 'nonsense' }),

  // What.
  'no content': post({ content: undefined }),
  'content a text': post({ content: 'Hello' }),
  'content {}': post({ content: {} }),
  'subject empty': content({ subject: '' }),
  'subject a number': content({ subject: 7 }),
  'subject of 999 characters': content({ subject: 'x'.repeat(999) }),
  'subject with CR and LF': content({ subject: 'Hello\r\nBcc: victim@example.com' }),
  'subject with half a surrogate pair': raw(
    '{"recipientId": "good", "content": {"subject": "\\ud83d", "text": "Hello"}}',
  ),
  'text empty': content({ text: '' }),
  'text with half a surrogate pair': raw('{"recipientId": "good", "content": {"subject": "Hello", "text": "\\ud83d"}}'),
  'html empty': content({ html: '' }),
  'cc without an address': content({ email: { cc: [{ name: 'Ada' }] } }),
  'cc with an invalid address': content({ email: { cc: [{ address: 'ada' }] } }),
  'cc with CR and LF in the name': content({
    email: { cc: [{ address: 'cc@example.com', name: 'Ada\r\nBcc: victim@example.com' }] },
  }),
  'bcc with CR and LF in the address': content({
    email: { bcc: [{ address: 'bcc@example.com>\r\nRCPT TO:<victim@example.com' }] },
  }),
  'more than 50 addresses in one field': content({
    email: { cc: Array.from({ length: 51 }, (_, index) => ({ address: `cc-${index}@example.com` })) },
  }),
  'a cc address with a local part outside ASCII': content({ email: { cc: [{ address: 'грети@example.com' }] } }),
  'an attachment without bytes': attachment({ content: '' }),
  'an attachment that is not base64': attachment({ content: 'QQ=' }),
  'an attachment without a name': attachment({ fileName: undefined }),
  'an attachment name with CR and LF': attachment({ fileName: 'a.txt"\r\nX-Evil: yes' }),
  'an attachment name with a slash': attachment({ fileName: '../a.txt' }),
  'an attachment with no media type to speak of': attachment({ mediaType: 'text' }),
  'an attachment with CR and LF in the media type': attachment({ mediaType: 'text/plain\r\nX-Evil: yes' }),
  'an attachment with neither content nor a blob': attachment({ content: undefined }),
  'an attachment with both content and a blob': attachment({ blobId: unknownId }),
  'an attachment whose blob id is a number': attachment({ content: undefined, blobId: 7 }),
  'an attachment whose blob is not known': attachment({ content: undefined, blobId: unknownId }),
  'an attachment whose blob was removed': async (api) => {
    const { id } = (await api.request<{ id: string }>('POST', '/v1/blobs', 'hello')).body;
    await api.request('DELETE', `/v1/blobs/${id}`);
    return attachment({ content: undefined, blobId: id })(api);
  },
  'more than 50 attachments': content({ attachments: Array.from({ length: 51 }, () => goodFile) }),
  'an inline image without HTML that shows it': attachment({ contentId: 'logo' }),

  // To whom.
  'an unknown recipient': post({ recipientId: 'nobody' }),
  'a recipient without channels': async (api) => {
    await put({}, 'no-channels')(api);
    return post({ recipientId: 'no-channels' })(api);
  },
  'a recipient without an address': async (api) => {
    await put({ channels: { email: null } }, 'no-address')(api);
    return post({ recipientId: 'no-address' })(api);
  },
  'a recipient who was erased': async (api) => {
    await put({}, 'forgotten')(api);
    await api.request('DELETE', '/v1/recipients/forgotten');
    return post({ recipientId: 'forgotten' })(api);
  },
  'a recipient who wants nothing': async (api) => {
    await put({ preferences: { default: { channels: [] } } }, 'hermit')(api);
    return post({ recipientId: 'hermit' })(api);
  },

  // Uploads.
  'an upload without a byte': upload(''),
  'an upload over the limit': upload(new Uint8Array(uploadLimit + 1)),
  'an upload over the limit that does not tell its length': upload(pieces(uploadLimit + 1)),
  'removing a blob that never was': async (api) => described(await api.request('DELETE', `/v1/blobs/${unknownId}`)),
  'removing a blob by an id that is no UUID': async (api) => described(await api.request('DELETE', '/v1/blobs/7')),

  // Recipients.
  'no channels': put({ channels: undefined }),
  'channels an array': put({ channels: [] }),
  'a channel that does not exist': put({ channels: { fax: { number: '1' } } }),
  'email without an address': put({ channels: { email: {} } }),
  'an invalid address': address('ada(at)example.com'),
  'an address with a display name': address('Ada <ada@example.com>'),
  'an address of a host without a dot': address('ada@localhost'),
  'an address with a local part outside ASCII': address('грети@example.com'),
  'an address with CR and LF': address('ada@example.com\r\nBcc: victim@example.com'),
  'displayName with CR and LF': put({ displayName: 'Ada\r\nBcc: victim@example.com' }),
  'displayName of 201 characters': put({ displayName: 'x'.repeat(201) }),
  'a locale that is none': put({ locale: 'english!' }),
  'a time zone that is none': put({ timeZone: 'Europe/Atlantis' }),
  'a preference for a channel that does not exist': put({ preferences: { default: { channels: ['fax'] } } }),
  'a preference that names a channel twice': put({ preferences: { default: { channels: ['email', 'email'] } } }),
  'a preference with a severity that is none': put({
    preferences: { default: { channels: ['email'], minSeverity: { email: 'urgent' } } },
  }),
  'an unknown field of a recipient': put({ nickname: 'Ada' }),
  'an id with an escaped slash': put({}, 'a%2Fb'),
  'an id of 201 characters': put({}, 'x'.repeat(201)),
  'an id with a line break': put({}, 'a%0Ab'),
  'an id that looks sealed': put({}, 'sealed.v1.abc.address.AAAA'),
  'an id with a broken escape': put({}, '%zz'),
  'If-Match that is no entity tag': put({}, 'good', { 'if-match': '5' }),
  'If-Match of another revision': put({}, 'good', { 'if-match': '"99"' }),
  'If-Match: * for a recipient who does not exist': put({}, 'new', { 'if-match': '*' }),
  'a group without a body': async (api) => described(await api.request('PUT', '/v1/groups/bad')),
  'an unknown field of a group': putGroup({ members: [] }),
  'the name of a group empty': putGroup({ name: '' }),
  'the name of a group with a line break': putGroup({ name: 'a\nb' }),
  'the name of a group of 201 characters': putGroup({ name: 'x'.repeat(201) }),
  'the name of a group that looks sealed': putGroup({ name: 'sealed.v1.abc.address.AAAA' }),
  'the id of a group with an escaped slash': putGroup({}, 'a%2Fb'),
  'the id of a group that looks sealed': putGroup({}, 'sealed.v1.abc.address.AAAA'),
  'If-Match of another revision of a group': changeMembers({ add: ['good'] }, { 'if-match': '"99"' }),
  'If-Match: * for a group that does not exist': putGroup({}, 'new', { 'if-match': '*' }),
  'members of a group that does not exist': async (api) =>
    described(await api.request('POST', '/v1/groups/none/members', { add: ['good'] })),
  '1001 members at once': changeMembers({ add: Array.from({ length: 1_001 }, (_, index) => `user-${index}`) }),
  'a member with a slash': changeMembers({ add: ['a/b'] }),
  'a member that looks sealed': changeMembers({ add: ['sealed.v1.abc.address.AAAA'] }),
  'a member named twice': changeMembers({ remove: ['good', 'good'] }),
  'a member to add and to remove': changeMembers({ add: ['good'], remove: ['good'] }),
  'deleting a group that does not exist': async (api) => described(await api.request('DELETE', '/v1/groups/none')),
  'erasing a recipient who never was': async (api) => described(await api.request('DELETE', '/v1/recipients/never')),

  // Reading.
  'GET of an unknown notification': get(`/v1/notifications/${unknownId}`),
  'GET of an unknown notification, with wait': get(`/v1/notifications/${unknownId}?wait=10`),
  'GET of a notification by an id that is no UUID': get('/v1/notifications/7'),
  'GET of the events of an unknown notification': get(`/v1/notifications/${unknownId}/events`),
  'GET of the events by an id that is no UUID': get('/v1/notifications/7/events'),
  'GET of the snapshot of an unknown notification': get(`/v1/notifications/${unknownId}/snapshot`),
  'GET of the snapshot of a notification that has not ended': async (api) => {
    const id = await api.notify('good', { deliverAt: '9999-12-31T23:59:59Z' });
    return get(`/v1/notifications/${id}/snapshot`)(api);
  },
  'GET of an unknown mail': get(`/v1/emails/${unknownId}/message`),
  'GET of an unknown group': get('/v1/groups/none'),
  'GET of the members of an unknown group': get('/v1/groups/none/members'),
  'GET of an unknown broadcast': get(`/v1/broadcasts/${unknownId}`),
  'GET of a broadcast by an id that is no UUID': get('/v1/broadcasts/42'),
  'GET of the notifications of an unknown broadcast': get(`/v1/broadcasts/${unknownId}/notifications`),
  'a cursor that this API has not given': get(`/v1/broadcasts/${unknownId}/notifications?cursor=%20`),
  'GET of an unknown recipient': get('/v1/recipients/never'),
  'GET of an unknown blob': get(`/v1/blobs/${unknownId}`),
  'GET of a blob by an id that is no UUID': get('/v1/blobs/7'),
  'wait longer than 60': get(`/v1/notifications/${unknownId}?wait=61`),
  'wait that is no number': get(`/v1/notifications/${unknownId}?wait=soon`),
  'a query parameter that is not known': get(`/v1/notifications/${unknownId}?colour=red`),
  'asOf that is neither a time nor a position': get(`/v1/notifications/${unknownId}?asOf=yesterday`),
  'asOf on a day that does not exist': get(`/v1/notifications/${unknownId}?asOf=2026-02-30T12:00:00Z`),
  'asOf together with wait': get(`/v1/notifications/${unknownId}?asOf=3&wait=1`),
  'asOf before the notification existed': async (api) =>
    get(`/v1/notifications/${await api.notify('good')}?asOf=0`)(api),
  'asOf before the recipient existed': get('/v1/recipients/good?asOf=0'),
  'asOf of a recipient that is neither': get('/v1/recipients/good?asOf=yesterday'),
  'a recipient by a parameter that is not known': get('/v1/recipients/good?colour=red'),
  'a live view of an unknown notification': get(`/v1/notifications/${unknownId}`, live),
  'a live view with wait': get(`/v1/notifications/${unknownId}?wait=1`, live),
  'a live view with asOf': get(`/v1/notifications/${unknownId}?asOf=3`, live),
  'a live view with a Last-Event-ID that is no position': get(`/v1/notifications/${unknownId}`, {
    ...live,
    'last-event-id': 'x',
  }),
  'wait given twice': get(`/v1/notifications/${unknownId}?wait=1&wait=2`),
  'a path that does not exist': get('/v1/nonsense'),
  'a method that the path does not have': async (api) => described(await api.request('PATCH', '/v1/notifications')),
};
