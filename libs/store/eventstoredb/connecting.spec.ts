import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import gossipMessages from '@eventstore/db-client/generated/gossip_pb.js';
import sharedMessages from '@eventstore/db-client/generated/shared_pb.js';
import { newId } from '#libs/kernel';
import { startFacade, type Facade, type Fault } from '#libs/store/facade';
import type { EventStore } from '#libs/store/port';
import { openSqliteStore } from '#libs/store/sqlite';
import { eventually, testOnlyCertificate, testOnlyKey } from '#libs/testing';
import { parseConnection } from './connection.js';
import { openEventStoreDb } from './event-store-db.js';

let directory: string;
let behind: EventStore;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidings-connecting-'));
  behind = await openSqliteStore({ directory });
});
afterAll(async () => {
  await behind.close();
  await rm(directory, { recursive: true });
});

async function append(url: string, ca?: string, patience = 500): Promise<void> {
  const store = await openEventStoreDb({ connection: parseConnection(url), ca, patience });
  try {
    const stream = `connecting.tested-${newId()}`;
    await store.append(stream, 'noStream', [{ id: newId(), type: 'connecting.tested.v1', data: {} }]);
    const types: string[] = [];
    for await (const { type } of store.readStream(stream)) types.push(type);
    expect(types).toEqual(['connecting.tested.v1']);
    for await (const { events } of store.subscribeToAll()) if (events.some((one) => one.stream === stream)) break;
  } finally {
    await store.close();
  }
}

test('a cluster is asked who its leader is', async () => {
  const asked: string[] = [];
  const facade = await startFacade(behind, { writable: true, onCall: (path) => void asked.push(path) });
  await append(`esdb+discover://127.0.0.1:${facade.port}?tls=false`);
  await append(`esdb://127.0.0.1:1,127.0.0.1:${facade.port}?tls=false`);
  expect(asked).toContain('/event_store.client.gossip.Gossip/Read');
  await facade.close();
});

describe('a cluster of two nodes', () => {
  const { LEADER, FOLLOWER } = gossipMessages.MemberInfo.VNodeState;
  const gossip = '/event_store.client.gossip.Gossip/Read';
  let nodes: Facade[];
  let leader: number;
  /** What each node was asked for, but for gossip. */
  let asked: string[][];
  /** What the nodes say of themselves, which may not be up to date. */
  let told: (node: number) => typeof LEADER | typeof FOLLOWER;

  function answer(node: number, path: string, leaderOnly: boolean): Fault | undefined {
    if (path === gossip) {
      const members = nodes.map(({ port }, index) =>
        new gossipMessages.MemberInfo()
          .setInstanceId(new sharedMessages.UUID().setString(newId()))
          .setState(told(index))
          .setIsAlive(true)
          .setHttpEndPoint(new gossipMessages.EndPoint().setAddress('127.0.0.1').setPort(port)),
      );
      return { answer: () => new gossipMessages.ClusterInfo().setMembersList(members) };
    }
    if (leaderOnly && node !== leader) return { notLeader: { host: '127.0.0.1', port: nodes[leader]!.port } };
    asked[node]!.push(path);
    return undefined;
  }

  beforeEach(async () => {
    leader = 1;
    asked = [[], []];
    told = (node) => (node === leader ? LEADER : FOLLOWER);
    nodes = await Promise.all(
      [0, 1].map((node) =>
        startFacade(behind, {
          writable: true,
          limits: { closing: 50 },
          onCall: (path, leaderOnly) => answer(node, path, leaderOnly),
        }),
      ),
    );
  });
  afterEach(() => Promise.all(nodes.map((node) => node.close())));

  const url = () => `esdb://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}?tls=false`;
  const urlOfOne = () => `esdb://127.0.0.1:${nodes[0]!.port}?tls=false`;

  test('everything is asked of the leader', async () => {
    await append(url());
    expect(asked[0]).toEqual([]);
    expect(asked[1]!.length).toBeGreaterThan(2);
  });

  test('also where nobody was the leader when the cluster was asked', async () => {
    told = () => FOLLOWER;
    for (let n = 0; n < 4; n += 1) await append(url());
    expect(asked[0]).toEqual([]);
  });

  test('also where the URL names only a node that is not the leader', async () => {
    await append(urlOfOne());
    expect(asked[0]).toEqual([]);
    expect(asked[1]!.length).toBeGreaterThan(2);
  });

  test('which is said where the leader cannot be reached from here', async () => {
    const { port } = nodes[1]!;
    await nodes[1]!.close();
    await expect(append(urlOfOne())).rejects.toThrow(new RegExp(`EventStoreDB at .*:${nodes[0]!.port}: .*:${port}`));
    expect(asked[0]).toEqual([]);
  });

  test.each([
    ['all nodes', url],
    ['one node', urlOfOne],
  ])('and of the next one, when that goes away: the URL names %s', async (_, urlOf) => {
    const store = await openEventStoreDb({ connection: parseConnection(urlOf()), patience: 20_000 });
    const stream = `connecting.tested-${newId()}`;
    const event = () => ({ id: newId(), type: 'connecting.tested.v1', data: {} });
    const seen: bigint[] = [];
    const stopping = new AbortController();
    const following = (async () => {
      const filter = { streamPrefixes: [stream] };
      for await (const { events } of store.subscribeToAll({ filter, signal: stopping.signal }))
        seen.push(...events.map(({ revision }) => revision));
    })();
    await store.append(stream, 'noStream', [event()]);
    expect(asked[0]).toEqual([]);
    leader = 0;
    await nodes[1]!.close();
    await store.append(stream, 0n, [event()]);
    expect(asked[0]!.length).toBeGreaterThan(0);
    await eventually(() => seen.length === 2);
    expect(seen).toEqual([0n, 1n]);
    stopping.abort();
    await following;
    await store.close();
  });
});

describe('with TLS', () => {
  let facade: Facade;

  beforeAll(async () => {
    facade = await startFacade(behind, {
      writable: true,
      tls: { cert: testOnlyCertificate, key: testOnlyKey },
      users: [{ name: 'ada', password: 'p@ss:word' }],
    });
  });
  afterAll(() => facade.close());

  const url = (login: string) => `esdb://${login}@localhost:${facade.port}`;

  test('user and password are sent, and the certificate is checked', async () => {
    await append(url('ada:p%40ss%3Aword'), testOnlyCertificate);
    await expect(append(url('ada:p%40ss%3Aword'))).rejects.toThrow(/certificate/);
  });

  test('a wrong password is said at once, and not shown', async () => {
    const begun = performance.now();
    const refused = append(url('ada:hidden'), testOnlyCertificate, 60_000);
    await expect(refused).rejects.toThrow(/EventStoreDB at localhost:\d+: .*UNAUTHENTICATED/);
    await expect(refused).rejects.not.toThrow(/hidden/);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});

describe('with discovery, why no node is found', () => {
  /** What the log says, and what a request is told; both the same. */
  async function reasonAt(hosts: string, ca?: string, login = '', options = ''): Promise<string> {
    const logged: string[] = [];
    const log = { unreachable: (_: string, error: string) => void logged.push(error), reachable: () => undefined };
    const connection = parseConnection(`esdb+discover://${login}${hosts}${options}`);
    const store = await openEventStoreDb({ connection, ca, patience: 100, answerWithin: 20_000, log });
    await eventually(() => logged.length > 0);
    const error = await store.head().then(String, String);
    await store.close();
    expect(error).toBe(`StoreUnavailable: EventStoreDB at ${hosts}: ${logged[0]}`);
    return logged[0]!;
  }

  test('a certificate that is not trusted, a wrong user', async () => {
    const facade = await startFacade(behind, {
      writable: false,
      tls: { cert: testOnlyCertificate, key: testOnlyKey },
      users: [{ name: 'ada', password: 'known' }],
    });
    const host = `localhost:${facade.port}`;
    expect(await reasonAt(host, undefined, 'ada:hidden@')).toBe(
      `no node of the cluster was found: ${host}: its certificate is not trusted: self-signed certificate`,
    );
    expect(await reasonAt(host, testOnlyCertificate, 'ada:hidden@')).toMatch(/^(?!.*hidden).*UNAUTHENTICATED/);
    await facade.close();
  });

  test('nobody listens, a name that nobody has, each for its host', async () => {
    expect(await reasonAt('localhost:1,nowhere.invalid:2113')).toBe(
      'no node of the cluster was found: localhost:1: the connection was refused; nowhere.invalid:2113: its name was not found',
    );
  });

  test('a host that takes connections and does not answer', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, 'localhost');
    await once(silent, 'listening');
    const host = `localhost:${(silent.address() as AddressInfo).port}`;
    expect(await reasonAt(host)).toBe(`no node of the cluster was found: ${host}: no answer`);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  test('a cluster whose nodes are all dead', async () => {
    const facade = await startFacade(behind, {
      writable: false,
      onCall: (path) => (path.endsWith('Gossip/Read') ? { answer: () => new gossipMessages.ClusterInfo() } : undefined),
    });
    const host = `127.0.0.1:${facade.port}`;
    expect(await reasonAt(host, undefined, '', '?tls=false')).toBe(
      `no node of the cluster was found: ${host}: it knows of no node that serves`,
    );
    await facade.close();
  });
});

test('without a server no code of the client is loaded', async () => {
  const library = new URL('./index.js', import.meta.url).href;
  const script = `
    import { Module } from 'node:module';
    await import(${JSON.stringify(library)});
    console.log(JSON.stringify(Object.keys(Module._cache).filter((file) => file.includes('db-client'))));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  expect(JSON.parse(stdout)).toEqual([]);
});
