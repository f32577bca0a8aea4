import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sendEmailBot } from '#libs/channel/email';
import { sendSlackBot } from '#libs/channel/slack';
import { categoryOf, correlationOf, declaredCategoryOf, parse, type RecordedEvent } from '#libs/kernel';
import {
  bounceReactor,
  deliverySagaHandler,
  fanOutBot,
  notificationClient,
  retentionReactor,
  sendBot,
  viewProjector,
} from '#libs/notification';
import {
  destroyPersonalData,
  erasureReactor,
  recipient,
  recipientClient,
  recipientEvents,
  recipientOwner,
  type Preferences,
} from '#libs/recipient';
import {
  defineClient,
  execute,
  fixedVersion,
  openClient,
  openStanding,
  RecordContext,
  RetryLater,
  runtimeTimers,
  StreamAccess,
  type AnyHandler,
  type Deferred,
  type Handle,
  type ViewNames,
} from '#libs/runtime';
import type { EventStore } from '#libs/store/port';
import { openSqliteStore } from '#libs/store/sqlite';
import { openServices } from './flow-services.js';
import { tearable, type Tear } from './torn-store.js';

/** A record as it stands in the store, with nothing that this process may have attached to it. */
export interface StoredRecord {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  readonly data: unknown;
  readonly metadata: unknown;
}

const allHandlers: readonly AnyHandler[] = [
  sendBot,
  fanOutBot,
  sendEmailBot,
  sendSlackBot,
  deliverySagaHandler,
  viewProjector,
  erasureReactor,
  bounceReactor,
  retentionReactor,
];
const timerClient = defineClient({ name: 'test.timers', writes: [runtimeTimers] });

/** An instance of a handler that is handed records by hand. */
export interface HandlerRun {
  /** As its consumer does before it hands out the first record. */
  start(): Promise<void>;
  /** The records that are there for it and that it was not handed yet. */
  waiting(): Promise<readonly RecordedEvent[]>;
  /** Hands it a record, as read back from its JSON. */
  handle(record: RecordedEvent): Promise<Deferred | void>;
  stop(): Promise<void>;
}

/**
 * The flow of notifications without a server: the real handlers over a real store in a temporary directory, step by
 * step. The clock is the test's to move, and mails and Slack messages go to fake transports.
 */
export class NotificationFlow {
  readonly store: EventStore;
  readonly client;
  private readonly recipients;
  private readonly timers;
  private readonly signal = new AbortController().signal;
  private ahead = 0;

  private constructor(
    private readonly directory: string,
    private readonly tear: Tear,
    readonly services: Awaited<ReturnType<typeof openServices>>,
  ) {
    this.store = tear.store;
    this.client = openClient(this.store, notificationClient, fixedVersion(1));
    this.recipients = openClient(this.store, recipientClient);
    this.timers = openClient(this.store, timerClient);
  }

  static async open(): Promise<NotificationFlow> {
    const directory = await mkdtemp(join(tmpdir(), 'tidings-flow-'));
    const tear = tearable(await openSqliteStore({ directory }));
    return new NotificationFlow(directory, tear, await openServices(directory, tear.store));
  }

  async close(): Promise<void> {
    this.services.recipients.stop();
    await this.services.feed.stop();
    await this.store.close();
    await rm(this.directory, { recursive: true });
  }

  now = (): number => Date.now() + this.ahead;

  /** Moves the clock, by milliseconds. */
  advance(milliseconds: number): void {
    this.ahead += milliseconds;
  }

  /** Appends asked for so far. */
  get appends(): number {
    return this.tear.asked;
  }

  /** From now on the store takes so many appends and then dies; without a number it is well again. */
  tearAfter(appends = Infinity): void {
    this.tear.left = appends;
  }

  async putRecipient(id: string, { address, slack, name = null, preferences = null }: PutOptions): Promise<void> {
    const { vault } = this.services;
    const owner = recipientOwner(id);
    const profile = {
      displayName: name === null ? null : await vault.sealFor(owner, 'name', name),
      locale: null,
      timeZone: null,
      channels: {
        ...(address !== undefined && { email: await vault.sealFor(owner, 'address', address) }),
        ...(slack !== undefined && { slack: await vault.sealFor(owner, 'address', slack) }),
      },
      preferences,
    };
    await execute(this.recipients, recipientEvents, recipient, id, { type: 'put', profile });
  }

  async eraseRecipient(id: string): Promise<void> {
    const keyIds = await this.services.vault.keyIdsOf(recipientOwner(id));
    await execute(this.recipients, recipientEvents, recipient, id, { type: 'erase', keyIds });
    await destroyPersonalData(this.services, keyIds);
  }

  /** Fires a timer that was scheduled. */
  async fireTimer(key: string, correlationId: string): Promise<void> {
    const [scheduled] = await this.client.read(runtimeTimers, key);
    if (scheduled?.type !== 'runtime.timer-scheduled.v1') throw new Error(`no timer ${key} is scheduled`);
    this.advance(Math.max(0, scheduled.data.dueAt - this.now()));
    const { purpose } = scheduled.data;
    await this.timers.append(runtimeTimers, key, 0n, [{ type: 'runtime.timer-fired.v1', data: { purpose } }], {
      correlationId,
    });
  }

  /**
   * Runs new instances of the handlers from the first record on, as after a restart before any checkpoint, until there
   * is nothing left to handle. The clock jumps to where a retry is due.
   * @throws what a handler throws, except `RetryLater`
   */
  async drive(handlers: readonly AnyHandler[] = allHandlers): Promise<void> {
    const running = handlers.map((handler) => this.run(handler));
    const retries: { readonly one: HandlerRun; readonly record: RecordedEvent; readonly dueAt: number }[] = [];
    const deferred: Promise<unknown>[] = [];

    const handle = async (one: HandlerRun, record: RecordedEvent): Promise<void> => {
      try {
        const rest = await one.handle(record);
        if (rest) deferred.push(failureOf(rest));
      } catch (error) {
        if (!(error instanceof RetryLater)) throw error;
        retries.push({ one, record, dueAt: error.dueAt });
      }
    };

    try {
      for (let busy = true; busy;) {
        busy = false;
        for (const one of running) {
          for (const record of await one.waiting()) {
            busy = true;
            await handle(one, record);
          }
        }
        const retry = busy ? undefined : retries.shift();
        if (retry === undefined) continue;
        busy = true;
        this.advance(Math.max(0, retry.dueAt - this.now()));
        await handle(retry.one, retry.record);
      }
    } finally {
      await Promise.all(running.map(({ stop }) => stop()));
    }
    const failure = (await Promise.all(deferred)).find((one) => one !== undefined);
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- what the handler has thrown
    if (failure !== undefined) throw failure;
  }

  /** Everything in the store except the runtime's own bookkeeping, as read back from its JSON. */
  async stored(): Promise<readonly StoredRecord[]> {
    const records: StoredRecord[] = [];
    for await (const { id, type, stream, revision, data, metadata } of this.store.readAll()) {
      records.push({ id, type, stream, revision: Number(revision), ...freshCopy({ data, metadata }) });
    }
    return records;
  }

  /** Data of the records of a category, optionally of one type, in order. */
  async dataOf<Data>(category: string, type?: string): Promise<readonly Data[]> {
    const records = await this.stored();
    return records
      .filter(
        (record) => declaredCategoryOf(record.stream) === category && (type === undefined || record.type === type),
      )
      .map(({ data }) => data as Data);
  }

  /** A new instance of a handler, on this store or another one, and this version of views; it has been handed nothing yet. */
  run(handler: AnyHandler, store = this.store, views: ViewNames = fixedVersion(1)): HandlerRun {
    const instance = handler.create(this.services as never);
    const handle = instance.handle as Handle<RecordedEvent, RecordContext>;
    const filter = { categories: handler.reads.map(({ category }) => category) };
    const access = new StreamAccess(store, handler, views);
    const standing = openStanding({
      access,
      signal: this.signal,
      now: this.now,
      isPaused: () => false,
      fail: (error) => {
        throw error;
      },
    });
    let handed = 0n;
    return {
      start: () => instance.start?.(standing as never) ?? Promise.resolve(),
      waiting: async () => {
        const records: RecordedEvent[] = [];
        for await (const record of this.store.readAll({ from: handed + 1n, filter })) records.push(record);
        return records;
      },
      handle: (record) => {
        handed = record.position > handed ? record.position : handed;
        const definition = handler.reads.find(({ category }) => category === categoryOf(record.stream))!;
        const context = new RecordContext(access, record, correlationOf(record), this.signal, this.now);
        return handle(parse(definition, { ...record, data: freshCopy(record.data) }), context);
      },
      stop: () => instance.stop?.() ?? Promise.resolve(),
    };
  }
}

export interface PutOptions {
  /** Of mail. */
  readonly address?: string;
  /** A Slack channel. */
  readonly slack?: string;
  readonly name?: string | null;
  readonly preferences?: Preferences | null;
}

function freshCopy<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}

/** What the deferred rest fails with; undefined when it does not. */
function failureOf({ settled }: Deferred): Promise<unknown> {
  return settled.then(
    () => undefined,
    (error: unknown) => error,
  );
}
