/** A server, or several that know each other. */
export interface EventStoreDbConnection {
  /** One to talk to, or where a cluster is asked who its leader is. */
  readonly hosts: readonly { readonly address: string; readonly port: number }[];
  /** Ask the hosts for the members of the cluster, and talk to the leader (`esdb+discover`, or more than one host). */
  readonly discover: boolean;
  readonly tls: boolean;
  readonly credentials?: { readonly username: string; readonly password: string };
  /** PEM file of further certificates to trust, as it stands in the URL. */
  readonly tlsCaFile?: string;
}

/** What is wrong with a URL; never holds any of it. */
export class MalformedConnection extends Error {}

const shape = 'must be like esdb://user:password@host:2113 or esdb+discover://host:2113?tls=false';
const defaultPort = 2113;
const options: readonly string[] = ['tls', 'tlscafile'];

/** Reads a connection string of EventStoreDB. @throws MalformedConnection */
export function parseConnection(text: string): EventStoreDbConnection {
  const match = /^esdb(\+discover)?:\/\/(?:([^@/?#]*)@)?([^@/?#]+)\/?(?:\?([^#]*))?$/.exec(text.trim());
  if (match === null) throw new MalformedConnection(shape);
  const [, discover, login, hosts, query] = match;
  const given = queryOf(query ?? '');
  const tls = given.get('tls') ?? 'true';
  if (tls !== 'true' && tls !== 'false') throw new MalformedConnection('must have true or false as its tls');
  const credentials = credentialsOf(login);
  if (credentials !== undefined && tls === 'false')
    throw new MalformedConnection('must not have a user and tls=false: EventStoreDB takes no password without TLS');
  const tlsCaFile = given.get('tlscafile');
  if (tlsCaFile !== undefined && tls === 'false')
    throw new MalformedConnection('must not have a tlsCAFile and tls=false');
  const parsed = hosts!.split(',').map(hostOf);
  return {
    hosts: parsed,
    discover: discover !== undefined || parsed.length > 1,
    tls: tls === 'true',
    ...(credentials !== undefined && { credentials }),
    ...(tlsCaFile !== undefined && { tlsCaFile }),
  };
}

/** For people: without user and password. */
export function nameOf({ hosts }: EventStoreDbConnection): string {
  return hosts.map(({ address, port }) => `${address}:${port}`).join(',');
}

/** The client reads the names of options in any case. */
function queryOf(query: string): Map<string, string> {
  const given = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const known = name.toLowerCase();
    if (!options.includes(known)) throw new MalformedConnection('must have no options but tls and tlsCAFile');
    if (given.has(known)) throw new MalformedConnection('must have each of its options once');
    given.set(known, value);
  }
  return given;
}

function hostOf(text: string): { address: string; port: number } {
  const match = /^([\w.-]+)(?::(\d{1,5}))?$/.exec(text);
  const port = Number(match?.[2] ?? defaultPort);
  if (match === null || port < 1 || port > 65_535) throw new MalformedConnection(shape);
  return { address: match[1]!, port };
}

function credentialsOf(login: string | undefined): { username: string; password: string } | undefined {
  if (login === undefined) return undefined;
  const match = /^([^:]+):([^:]+)$/.exec(login);
  if (match === null) throw new MalformedConnection('must have both a user and a password or neither');
  try {
    return { username: decodeURIComponent(match[1]!), password: decodeURIComponent(match[2]!) };
  } catch {
    throw new MalformedConnection('must have its user and password percent-encoded');
  }
}
