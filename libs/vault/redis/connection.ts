/** Where the keys are kept: a server of Redis, or several under the watch of sentinels. */
export interface RedisConnection {
  /** One server; or, with `sentinel`, the sentinels that are asked which server is the master. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly sentinel?: {
    /** Of the master. */
    readonly name: string;
    readonly username?: string;
    readonly password?: string;
  };
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly database: number;
  /** What the names of all entries begin with. */
  readonly prefix: string;
  /** How many replicas must have a key before it is handed out. */
  readonly replicas: number;
}

/** What is wrong with a URL; never holds any of it. */
export class MalformedRedisUrl extends Error {}

const shape =
  'must be like redis://user:password@host:6379/0, with rediss for TLS, or redis+sentinel://h1:26379,h2:26379/0?name=master';
const options = ['prefix', 'replicas'] as const;
const sentinelOptions = ['name', 'sentinelUser', 'sentinelPassword'] as const;
const defaultPrefix = 'tidings:';

/** Reads `redis://`, `rediss://`, `redis+sentinel://` and `rediss+sentinel://` URLs. @throws MalformedRedisUrl */
export function parseRedisUrl(text: string): RedisConnection {
  const match = /^redis(s)?(\+sentinel)?:\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/(\d{0,3}))?(?:\?([^#]*))?$/.exec(
    text.trim(),
  );
  if (match === null) throw new MalformedRedisUrl(shape);
  const [, tls, sentinel, login, hosts, database, query] = match;
  const isSentinel = sentinel !== undefined;
  const given = queryOf(query ?? '', isSentinel);
  const parsed = hosts!.split(',').map((host) => hostOf(host, isSentinel ? 26_379 : 6_379));
  if (!isSentinel && parsed.length > 1) throw new MalformedRedisUrl(`${shape}: several hosts are sentinels`);
  return {
    hosts: parsed,
    ...(isSentinel && { sentinel: sentinelOf(given) }),
    tls: tls !== undefined,
    ...credentialsOf(login),
    database: Number(database ?? 0),
    prefix: prefixOf(given.get('prefix') ?? defaultPrefix),
    // Sentinels fail over to a replica: what it has not got by then is lost.
    replicas: replicasOf(given.get('replicas') ?? (isSentinel ? '1' : '0')),
  };
}

/** For people: without user and password. */
export function nameOfRedis({ hosts, sentinel }: RedisConnection): string {
  const places = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  return sentinel === undefined ? places : `${sentinel.name} of the sentinels ${places}`;
}

function queryOf(query: string, isSentinel: boolean): Map<string, string> {
  const known: readonly string[] = isSentinel ? [...options, ...sentinelOptions] : options;
  const given = new Map(new URLSearchParams(query));
  for (const name of given.keys()) {
    if (!known.includes(name)) throw new MalformedRedisUrl(`must have no options but ${known.join(', ')}`);
  }
  return given;
}

function hostOf(text: string, defaultPort: number): { host: string; port: number } {
  const match = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(text);
  const port = Number(match?.[3] ?? defaultPort);
  if (match === null || port < 1 || port > 65_535) throw new MalformedRedisUrl(shape);
  return { host: (match[1] ?? match[2])!, port };
}

function sentinelOf(given: ReadonlyMap<string, string>): NonNullable<RedisConnection['sentinel']> {
  const name = given.get('name');
  if (name === undefined || name === '') throw new MalformedRedisUrl('must have the name of the master: ?name=…');
  const username = given.get('sentinelUser');
  const password = given.get('sentinelPassword');
  if (username !== undefined && password === undefined) {
    throw new MalformedRedisUrl('must have a sentinelPassword where it has a sentinelUser');
  }
  return { name, ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
}

/** `user:password`, or `:password` of the default user. */
function credentialsOf(login: string | undefined): { username?: string; password?: string } {
  if (login === undefined) return {};
  const match = /^([^:]*):([^:]+)$/.exec(login);
  if (match === null) throw new MalformedRedisUrl('must have user:password or :password before the @');
  try {
    const [username, password] = [decodeURIComponent(match[1]!), decodeURIComponent(match[2]!)];
    return { ...(username !== '' && { username }), password };
  } catch {
    throw new MalformedRedisUrl('must have its user and password percent-encoded');
  }
}

function prefixOf(text: string): string {
  if (!/^[\w.:-]{1,64}$/.test(text)) {
    throw new MalformedRedisUrl('must have a prefix of 1 to 64 letters, digits and . _ : -');
  }
  return text;
}

function replicasOf(text: string): number {
  if (!/^\d$/.test(text)) throw new MalformedRedisUrl('must have a number of replicas from 0 to 9');
  return Number(text);
}
