import { correlationOf, type RecordedEvent } from '#libs/kernel';
import type { MembersView } from '#libs/operator';
import { startFacade, type Facade } from '#libs/store/facade';
import { openSqliteStore, type SqliteEventStore } from '#libs/store/sqlite';
import { SmtpDouble } from '#libs/testing';
import { RedisServer } from '#libs/testing/redis';
import { Api, eventually, startServer, temporaryFolder, type ServerProcess } from '../../support/index.js';

type Folder = Awaited<ReturnType<typeof temporaryFolder>>;

/** Seconds: short, so that tests need not wait, and long enough for a machine that is busy with them. */
const leaseSeconds = 3;
const usualPartitions = 4;

/** One process of several, with a data directory of its own. */
export interface ClusterProcess {
  readonly server: ServerProcess;
  readonly api: Api;
}

/** What they share: the events, in the process of the test, the keys, and the mail server. */
export class Cluster {
  private readonly processes: ClusterProcess[] = [];
  private readonly folders: Folder[] = [];

  private constructor(
    readonly smtp: SmtpDouble,
    private readonly redis: RedisServer,
    private readonly store: SqliteEventStore,
    private readonly facade: Facade,
    private readonly home: Folder,
  ) {}

  static async open(): Promise<Cluster> {
    const smtp = await SmtpDouble.start({ security: 'plain' });
    const home = await temporaryFolder();
    const store = await openSqliteStore({ directory: home.path });
    const facade = await startFacade(store, { writable: true, limits: { subscriptions: 1_000 } });
    return new Cluster(smtp, await RedisServer.start(), store, facade, home);
  }

  /** Starts one more process. */
  async start(partitions = usualPartitions): Promise<ClusterProcess> {
    const folder = await temporaryFolder();
    this.folders.push(folder);
    const server = await startServer(folder.path, {
      TIDINGS_EVENTSTORE_URL: `esdb://127.0.0.1:${this.facade.port}?tls=false`,
      TIDINGS_KEYS_URL: this.redis.url,
      TIDINGS_SMTP_URL: this.smtp.url,
      TIDINGS_PARTITIONS: String(partitions),
      TIDINGS_LEASE_SECONDS: String(leaseSeconds),
      TIDINGS_LOG_LEVEL: 'warn',
    });
    const process = { server, api: new Api(server.url) };
    this.processes.push(process);
    return process;
  }

  /** Resolves when these, and no others, have all slots, and none has more than one of a role more than another. */
  async areShared(...by: readonly ClusterProcess[]): Promise<void> {
    await eventually(async () => {
      const views = await Promise.all(by.map(({ api }) => api.request<MembersView>('GET', '/v1/members')));
      const shares = views.map(({ body }) => body.items.find(({ self }) => self)?.slots ?? []);
      return isFair(shares, views[0]!.body.partitions) || undefined;
    });
  }

  /** Everything in the store, in order. */
  async records(): Promise<readonly RecordedEvent[]> {
    const records: RecordedEvent[] = [];
    for await (const record of this.store.readAll()) records.push(record);
    return records;
  }

  async head(): Promise<bigint> {
    return this.store.head();
  }

  async close(): Promise<void> {
    await Promise.all(
      this.processes.map(async ({ server }) => {
        server.signal('SIGCONT');
        await server.kill();
      }),
    );
    await this.smtp.close();
    await this.facade.close();
    await this.store.close();
    await Promise.all([this.home, this.redis, ...this.folders].map((one) => one.remove()));
  }
}

function isFair(shares: readonly (readonly string[])[], partitions: number): boolean {
  return ['bots', 'sagas', 'projectors'].every((role) => {
    const counts = shares.map((slots) => slots.filter((slot) => slot.startsWith(`${role}.`)).length);
    const all = counts.reduce((sum, count) => sum + count, 0);
    return all === partitions && Math.max(...counts) - Math.min(...counts) <= 1;
  });
}

/** How a notification's mail fared, by the records. */
export function attemptsOf(records: readonly RecordedEvent[], id: string): readonly string[] {
  return records
    .filter((record) => correlationOf(record) === id && record.stream.startsWith('email.event-'))
    .map(({ type, data }) =>
      type === 'email.claimed.v1' && (data as { afterDoubt: boolean }).afterDoubt ? 'claimed after doubt' : type,
    );
}
