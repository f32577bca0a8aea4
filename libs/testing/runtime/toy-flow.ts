import { defineStream, newId, streamName, type RecordedEvent, type RecordOf, type Schema } from '#libs/kernel';
import {
  defineBot,
  defineProjector,
  defineTopology,
  Runtime,
  stream,
  type Consumer,
  type Deferred,
  type HandlerContext,
  type Oversight,
  type RetryPolicy,
  type Sharing,
  type SharingOptions,
  type Topology,
  type WorkTrace,
} from '#libs/runtime';
import type { EventStore } from '#libs/store/port';

interface Numbered {
  readonly n: number;
}

const numbered: Schema<Numbered> = {
  problems: (data) => (typeof (data as Partial<Numbered>).n === 'number' ? [] : ['n must be a number']),
};

/** What the toy consumer reads. */
export const toyOperations = defineStream('toy', 'operation', { 'toy.do.v1': numbered });
/** What it may write. */
export const toyEvents = defineStream('toy', 'event', { 'toy.done.v1': numbered });

export type ToyRecord = RecordOf<typeof toyOperations>;
export type ToyContext = HandlerContext<typeof toyOperations | typeof toyEvents, typeof toyEvents>;

export interface ToyOptions {
  handle(record: ToyRecord, context: ToyContext): Promise<Deferred | void>;
  stop?(): Promise<void>;
  /** As of a projector. Default false, as of a bot. */
  readonly strictOrder?: boolean;
  readonly concurrency?: number;
  readonly mostDeferred?: number;
  readonly partitioned?: boolean;
  readonly retry?: RetryPolicy;
  /** Alone on the store, where left out. */
  readonly sharing?: Omit<SharingOptions, 'log'>;
  readonly now?: () => number;
  /** As a process that has the API only: it runs nothing. */
  readonly asksOnly?: boolean;
  readonly trace?: WorkTrace;
}

/** What the consumer told its log. */
export interface ToyFailure {
  readonly record?: RecordedEvent;
  readonly error: unknown;
  readonly action: string;
}

/** One consumer, with a handler of the test, on a store. */
export class ToyFlow {
  readonly failures: ToyFailure[] = [];
  /** What went wrong with sharing. */
  readonly troubles: unknown[] = [];
  readonly consumer: Consumer;
  readonly runtime: Runtime<object>;
  readonly topology: Topology<object>;

  private constructor(store: EventStore, options: ToyOptions) {
    const { strictOrder, handle, stop, now, trace, sharing, asksOnly, ...rest } = options;
    const define = strictOrder === true ? defineProjector : defineBot;
    const handler = define({
      name: 'toy.consumer',
      reads: [toyOperations],
      looksUp: [toyEvents],
      writes: [toyEvents],
      ...rest,
      create: (_services: object) => ({ handle, ...(stop && { stop }) }),
    });
    this.topology = defineTopology([
      stream(toyOperations, { producers: [], consumers: [handler] }),
      stream(toyEvents, { producers: [handler], consumers: [handler] }),
    ]);
    this.runtime = new Runtime({
      store,
      topology: this.topology,
      services: {},
      roles: new Set(asksOnly === true ? [] : [handler.role]),
      log: {
        failed: (_consumer, record, error, action) => this.failures.push({ record, error, action }),
        stopped: (_consumer, error) => this.failures.push({ error, action: 'stopped' }),
      },
      ...(now && { now }),
      ...(sharing && {
        sharing: {
          ...sharing,
          log: { leases: () => undefined, failed: (error: unknown) => this.troubles.push(error) },
        },
      }),
      trace,
    });
    this.consumer = this.runtime.consumer('toy.consumer')!;
  }

  static async start(store: EventStore, options: ToyOptions): Promise<ToyFlow> {
    const flow = new ToyFlow(store, options);
    await flow.runtime.start();
    return flow;
  }

  get oversight(): Oversight {
    return this.runtime.oversight;
  }

  sharing(): Sharing {
    return this.runtime.sharing()!;
  }

  drain(): Promise<void> {
    return this.runtime.drain();
  }
}

/** Appends an operation to a flow; answers its event id. */
export async function enqueue(store: EventStore, flow: string, n: unknown, type = 'toy.do.v1'): Promise<string> {
  const id = newId();
  const event = { id, type, data: { n }, metadata: { $correlationId: flow } };
  await store.append(streamName(toyOperations, flow), 'any', [event]);
  return id;
}
