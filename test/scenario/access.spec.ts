import { beforeAll, describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { scopeMeanings, type Scope } from '#libs/access';
import type { OpenApiDocument } from '#libs/http';
import {
  Api,
  eventually,
  keysIn,
  readEvents,
  useServer,
  type Accepted,
  type EventItem,
  type Keys,
} from '../support/index.js';

const scopes = Object.keys(scopeMeanings) as Scope[];
const content = { subject: 'Hello', text: 'How are you?' };

const server = useServer({ start: false });
let keys: Keys;
let shop: string;
let owner: string;
const only = new Map<Scope, string>();
const allBut = new Map<Scope, string>();

beforeAll(async () => {
  keys = keysIn(server.dataDir);
  shop = keys.make('shop', ['notifications:write', 'recipients:write']);
  owner = keys.make('owner', ['*']);
  for (const scope of scopes) {
    only.set(scope, keys.make(`only.${scope.replace(':', '.')}`, [scope]));
    allBut.set(
      scope,
      keys.make(
        `not.${scope.replace(':', '.')}`,
        scopes.filter((other) => other !== scope),
      ),
    );
  }
  await keys.write();
  await server.start({ TIDINGS_API_KEYS_FILE: keys.file, TIDINGS_LOG_LEVEL: 'debug' });
});

const as = (key?: string): Api => new Api(server, key);

/** Every operation of the document, with the scope that it says; undefined: it is public. */
async function operations(): Promise<{ method: string; path: string; scope: Scope | undefined }[]> {
  const { paths } = (await as().request<OpenApiDocument>('GET', '/openapi.json')).body;
  return Object.entries(paths).flatMap(([template, byMethod]) =>
    Object.entries(byMethod).map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path: template.replaceAll(/\{\w+\}/g, 'nothing'),
      scope: security[0]?.apiKey[0] as Scope | undefined,
    })),
  );
}

describe('what the OpenAPI document says of the routes is what the server does', () => {
  test('without a key: 401, and what is public is answered', async () => {
    const told = await operations();
    const isPublic = told.filter(({ scope }) => scope === undefined).map(({ method, path }) => `${method} ${path}`);
    expect(isPublic.sort()).toEqual([
      ...['GET /asyncapi.json', 'GET /docs', 'GET /health/live', 'GET /health/ready', 'GET /openapi.json'],
    ]);
    for (const { method, path, scope } of told) {
      const { status, headers, body } = await as().request(method, path);
      if (scope === undefined) expect([method, path, status]).toEqual([method, path, 200]);
      else {
        expect([method, path, status, headers.get('www-authenticate')]).toEqual([method, path, 401, 'Bearer']);
        expect(body).toMatchObject({ type: '/problems/unauthenticated', status: 401 });
      }
    }
  });

  test('with all scopes but the one that is needed: 403, which names it', async () => {
    for (const { method, path, scope } of await operations()) {
      if (scope === undefined) continue;
      const { status, headers, body } = await as(allBut.get(scope)).request(method, path);
      expect([method, path, status, body['scope']]).toEqual([method, path, 403, scope]);
      expect(headers.get('www-authenticate')).toBe(`Bearer error="insufficient_scope", scope="${scope}"`);
    }
  });

  test('with the one that is needed: anything but 401 and 403', async () => {
    const used = new Set<Scope>();
    for (const { method, path, scope } of await operations()) {
      if (scope === undefined) continue;
      used.add(scope);
      const { status } = await as(only.get(scope)).request(method, path);
      expect([method, path, [401, 403].includes(status)]).toEqual([method, path, false]);
    }
    // Asked for by what a request says, not by its route.
    used.add('broadcasts:write');
    expect([...used].sort()).toEqual([...scopes].sort());
  });
});

test('the console and its parts are for everybody, and what they ask for is not', async () => {
  const isAnswered = async (path: string) => ![401, 403].includes((await as().request('GET', path)).status);
  expect(await Promise.all(['/', '/notifications/1', '/assets/nothing.js', '/metrics'].map(isAnswered))).toEqual([
    ...[true, true, true, false],
  ]);
});

test('a key counts in the Authorization header only', async () => {
  expect((await as().request('GET', `/v1/notifications?key=${owner}&access_token=${owner}`)).status).toBe(401);
  expect((await as().request('GET', '/v1/notifications', undefined, { 'x-api-key': owner })).status).toBe(401);
  const basic = `Basic ${Buffer.from(`owner:${owner}`).toString('base64')}`;
  expect((await as().request('GET', '/v1/notifications', undefined, { authorization: basic })).status).toBe(401);
  expect((await as(owner).request('GET', '/v1/notifications')).status).toBe(200);
});

test('to tell several at once needs a scope of its own', async () => {
  const several = { recipientIds: ['ada', 'grace'], content };
  expect(await as(shop).request('POST', '/v1/notifications', several)).toMatchObject({
    status: 403,
    body: { scope: 'broadcasts:write' },
  });
  expect((await as(owner).request('POST', '/v1/notifications', several)).status).toBe(202);
});

describe('who asked', () => {
  const post = async (key: string, idempotencyKey: string) =>
    (
      await as(key).request<Accepted>(
        'POST',
        '/v1/notifications',
        { recipientId: 'ada', content },
        { 'idempotency-key': idempotencyKey },
      )
    ).body.id;

  test('stands in what was accepted, for auditors', async () => {
    await as(shop).putRecipient('ada', 'ada@example.com');
    const id = await as(shop).notify('ada');
    await as(owner).request('POST', `/v1/notifications/${id}:cancel`);
    await as(owner).request('PUT', '/v1/groups/team', {});
    const callersIn = async (stream: string) => {
      const auditor = as(only.get('audit:read'));
      const { body } = await auditor.request<{ items: EventItem[] }>('GET', `/v1/events?stream=${stream}`);
      return body.items.map(({ type, metadata }) => [type, metadata['caller']]);
    };
    expect(await callersIn(`notification.clientOperation-${id}`)).toContainEqual(['notification.send.v1', 'shop']);
    expect(await callersIn('recipient.event-ada')).toEqual([['recipient.put.v1', 'shop']]);
    expect(await callersIn('group.event-team')).toEqual([['group.created.v1', 'owner']]);
  });

  test('scopes idempotency keys: another caller has another notification, another key of the caller has not', async () => {
    const again = keys.make('shop', ['notifications:write']);
    await keys.write();
    const id = await post(shop, 'order-7');
    const known = async () =>
      (await as(again).request('GET', '/v1/notifications/x')).status === 403 ? true : undefined;
    await eventually(known);
    expect(await post(again, 'order-7')).toBe(id);
    expect(await post(owner, 'order-7')).not.toBe(id);
  });
});

describe('the key file', () => {
  test('a key that is taken out is refused within seconds, and its live streams end; those of others go on', async () => {
    const auditor = keys.make('auditor', ['audit:read']);
    const other = keys.make('other', ['audit:read']);
    await keys.write();
    await eventually(async () => ((await as(auditor).request('GET', '/v1/events')).status === 200 ? true : undefined));
    const isNews = ({ data }: { readonly data?: EventItem }) => data?.stream === 'group.event-news';
    const ending = readEvents<EventItem>(`${server.url}/v1/events`, { key: auditor });
    const going = readEvents<EventItem>(`${server.url}/v1/events`, {
      key: other,
      until: (events) => events.some(isNews),
    });
    keys.remove(auditor);
    await keys.write();
    expect((await ending).ended).toBe(true);
    expect((await as(auditor).request('GET', '/v1/events')).status).toBe(401);
    await as(owner).request('PUT', '/v1/groups/news', {});
    expect((await going).ended).toBe(false);
  });

  test('a key ends at its time', async () => {
    const past = keys.make('past', ['*'], { notAfter: '2026-01-01T00:00:00Z' });
    const future = keys.make('future', ['*'], { notAfter: '2999-01-01T00:00:00Z' });
    await keys.write();
    await eventually(async () => ((await as(future).request('GET', '/v1/stats')).status === 200 ? true : undefined));
    expect((await as(past).request('GET', '/v1/stats')).status).toBe(401);
  });

  test('where it becomes malformed, the keys before stay, and that is told until it is mended', async () => {
    const detail = async () => {
      const { status, body } = await as().request('GET', '/health/ready');
      expect(status).toBe(200);
      return (body['checks'] as { apiKeys: { detail?: string } }).apiKeys.detail;
    };
    expect(await detail()).toBeUndefined();
    await writeFile(keys.file, '[{"name": "canary');
    expect(await eventually(detail)).toBe('the key file is not JSON; the keys before stay');
    expect((await as(owner).request('GET', '/v1/stats')).status).toBe(200);
    expect(server.output).toContain('the key file cannot be used; the keys before stay');
    await keys.write();
    await eventually(async () => ((await detail()) === undefined ? true : undefined));
  });
});

test('refused and operating callers stand in the log by their names, and keys nowhere', async () => {
  const shown = as(only.get('operate'));
  await shown.request('POST', '/v1/consumers/email.send-bot:pause');
  await shown.request('POST', '/v1/consumers/email.send-bot:resume');
  const lines = () =>
    server.output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as object] : []));
  await eventually(async () => {
    await as(shop).request('GET', '/v1/stats');
    const found = lines().some(
      (line) => 'caller' in line && line.caller === 'shop' && 'status' in line && line.status === 403,
    );
    return found ? true : undefined;
  });
  expect(lines()).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ caller: 'only.operate', msg: 'a request of an operator was answered', status: 200 }),
      expect.objectContaining({ status: 401, msg: 'a request was refused' }),
    ]),
  );
  const secrets = [owner, shop, ...only.values(), ...allBut.values()].map((key) => key.slice(-43));
  expect(secrets.filter((secret) => server.output.includes(secret))).toEqual([]);
  const { body } = await as(owner).request<string>('GET', '/metrics');
  expect(secrets.filter((secret) => body.includes(secret))).toEqual([]);
});
