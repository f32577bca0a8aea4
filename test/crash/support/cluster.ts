import { correlationOf, type RecordedEvent } from '#libs/kernel';
import type { MembersView, MemberView } from '#libs/operator';
import { startFacade, type Facade } from '#libs/store/facade';
import { openSqliteStore, type SqliteEventStore } from '#libs/store/sqlite';
import { SmtpDouble } from '#libs/testing';
import { RedisServer } from '#libs/testing/redis';
import { S3Double } from '#libs/testing/s3';
import { Api, eventually, startServer, temporaryFolder, type ServerProcess } from '../../support/index.js';

type Folder = Awaited<ReturnType<typeof temporaryFolder>>;

const handlerGroups = ['bots', 'sagas', 'projectors'] as const;
/** Seconds: short, so that tests need not wait, and long enough for a machine that is busy with them. */
const leaseSeconds = 3;
const usualPartitions = 4;

/** One process of several, with a data directory of its own. */
export interface ClusterProcess {
  readonly server: ServerProcess;
  readonly api: Api;
}

/** What they share: the events, in the process of the test, the keys, the blobs, and the mail server. */
export class Cluster {
  /** Of each process, from when it was spawned, whether or not it ever was ready. */
  private readonly kills: (() => Promise<void>)[] = [];
  private readonly folders: Folder[] = [];
  private isClosed = false;

  private constructor(
    readonly smtp: SmtpDouble,
    private readonly redis: RedisServer,
    private readonly blobs: S3Double,
    readonly store: SqliteEventStore,
    private readonly facade: Facade,
    private readonly undo: Undo,
  ) {}

  static async open(): Promise<Cluster> {
    const undo: Undo = [];
    try {
      const home = await temporaryFolder();
      undo.push(() => home.remove());
      const redis = await RedisServer.start();
      undo.push(() => redis.remove());
      const blobs = await S3Double.start();
      undo.push(() => blobs.remove());
      const store = await openSqliteStore({ directory: home.path });
      undo.push(() => store.close());
      const facade = await startFacade(store, { writable: true, limits: { subscriptions: 1_000 } });
      undo.push(() => facade.close());
      const smtp = await SmtpDouble.start({ security: 'plain' });
      undo.push(() => smtp.close());
      return new Cluster(smtp, redis, blobs, store, facade, undo);
    } catch (error) {
      await undoAll(undo);
      throw error;
    }
  }

  /** Starts one more process. @param env beside what all of them have, such as its roles */
  async start(env: Readonly<Record<string, string>> = {}): Promise<ClusterProcess> {
    const folder = await temporaryFolder();
    this.folders.push(folder);
    if (this.isClosed) {
      await folder.remove();
      throw new Error('the cluster is closed');
    }
    const server = await startServer(
      folder.path,
      {
        TIDINGS_EVENTSTORE_URL: `esdb://127.0.0.1:${this.facade.port}?tls=false`,
        TIDINGS_KEYS_URL: this.redis.url,
        TIDINGS_BLOBS_URL: this.blobs.url('tidings'),
        ...S3Double.credentials,
        TIDINGS_SMTP_URL: this.smtp.url,
        TIDINGS_PARTITIONS: String(usualPartitions),
        TIDINGS_LEASE_SECONDS: String(leaseSeconds),
        TIDINGS_LOG_LEVEL: 'warn',
        ...env,
      },
      (kill) => {
        this.kills.push(kill);
        if (this.isClosed) void kill();
      },
    );
    return { server, api: new Api(server.url) };
  }

  /** Resolves when these, and no others, have all slots, and none has more than one of a role more than another that has it. */
  async areShared(...by: readonly ClusterProcess[]): Promise<void> {
    await eventually(async () => {
      const views = await Promise.all(by.map(({ api }) => api.request<MembersView>('GET', '/v1/members')));
      const members = views.map(({ body }) => body.items.find(({ self }) => self));
      return (
        isFair(
          members.filter((member) => member !== undefined),
          views[0]!.body.partitions,
        ) || undefined
      );
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

  /** Ends everything, also the processes whose start has failed or is not over yet. */
  async close(): Promise<void> {
    this.isClosed = true;
    const folders = () => Promise.all(this.folders.map((folder) => folder.remove()));
    const processes = () => Promise.all(this.kills.map((kill) => kill()));
    await undoAll([...this.undo, folders, processes]);
  }
}

/** What was begun, to be ended in the opposite order. */
type Undo = (() => Promise<unknown>)[];

/** Ends all of it, whatever fails. @throws the first failure */
async function undoAll(undo: Undo): Promise<void> {
  const failures: unknown[] = [];
  for (const step of undo.toReversed()) await step().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

function isFair(members: readonly MemberView[], partitions: number): boolean {
  return handlerGroups.every((role) => {
    const having = members.filter(({ roles }) => roles.includes(role));
    const counts = having.map(({ slots }) => slots.filter((slot) => slot.startsWith(`${role}.`)).length);
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
