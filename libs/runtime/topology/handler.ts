import type { RecordOf, StreamDefinition } from '#libs/kernel';
import type { ViewFold } from '../view/view-fold.js';
import type { HandlerContext, StandingContext } from './access.js';

export type Role = 'client' | 'bot' | 'projector' | 'reactor' | 'sagaHandler';

/** How often a record that fails is tried again before it is parked. Times in milliseconds. */
export interface RetryPolicy {
  /** Waits before tries within the process; the record holds its place in its flow meanwhile. */
  readonly immediate: readonly number[];
  /** Waits before tries from the consumer's durable retry stream. */
  readonly later: readonly number[];
}

export const defaultRetryPolicy: RetryPolicy = {
  immediate: [20, 200],
  later: [5_000, 30_000, 120_000, 600_000],
};

/**
 * What a handler gives back when it is done with a record but the record's last effect is still to come: the next
 * record of the flow may go on, the checkpoint waits. `false` leaves the record undone; it is handed out again
 * after a restart.
 */
export interface Deferred {
  readonly settled: Promise<boolean>;
}

export type Handle<Record, Context> = (record: Record, context: Context) => Promise<Deferred | void>;

/**
 * Runs while its consumer runs. `start` is called before the first record, and again while the store is away; `stop` when
 * the consumer drains, before the last checkpoint.
 */
export interface HandlerInstance<Record, Context, Standing> {
  readonly handle: Handle<Record, Context>;
  start?(standing: Standing): Promise<void>;
  stop?(): Promise<void>;
}

type InstanceOf<
  Reads extends StreamDefinition,
  LooksUp extends StreamDefinition,
  Writes extends StreamDefinition,
> = HandlerInstance<RecordOf<Reads>, HandlerContext<Reads | LooksUp, Writes>, StandingContext<Reads | LooksUp, Writes>>;

/** A handler as it is declared: what it may touch, and how it is made from its services. */
export interface HandlerDeclaration<
  Name extends string = string,
  Reads extends StreamDefinition = StreamDefinition,
  LooksUp extends StreamDefinition = StreamDefinition,
  Writes extends StreamDefinition = StreamDefinition,
  Services = unknown,
> {
  /** The name is the subscription: its checkpoint, retry and parked streams carry it. Never rename it. */
  readonly name: Name;
  readonly role: Role;
  /** Categories whose records it is handed. */
  readonly reads: readonly Reads[];
  /** Further categories of which it may read single streams. */
  readonly looksUp: readonly LooksUp[];
  readonly writes: readonly Writes[];
  /** Flows handled at a time. */
  readonly concurrency: number;
  /** Records that may be deferred at a time; with more, the consumer takes nothing in. */
  readonly mostDeferred: number;
  /** True where records of a flow that follow one that failed have to wait behind it. */
  readonly strictOrder: boolean;
  /** False where one instance has to see all flows: processes that share a store never split it. */
  readonly partitioned: boolean;
  readonly retry: RetryPolicy;
  /** How its view is built anew. */
  readonly rebuild?: ViewFold | undefined;
  readonly create: (services: Services) => InstanceOf<Reads, LooksUp, Writes>;
  /** Type only: who may stand as a consumer or producer of a stream. */
  readonly canRead?: ((stream: Reads | LooksUp) => void) | undefined;
  readonly canWrite?: ((stream: Writes) => void) | undefined;
}

/** A handler of any kind, for code that does not care which. */
export interface AnyHandler {
  readonly name: string;
  readonly role: Role;
  readonly reads: readonly StreamDefinition[];
  readonly looksUp: readonly StreamDefinition[];
  readonly writes: readonly StreamDefinition[];
  readonly concurrency: number;
  readonly mostDeferred: number;
  readonly strictOrder: boolean;
  readonly partitioned: boolean;
  readonly retry: RetryPolicy;
  readonly rebuild?: ViewFold | undefined;
  readonly create: (services: never) => HandlerInstance<never, never, never>;
  readonly canRead?: ((stream: never) => void) | undefined;
  readonly canWrite?: ((stream: never) => void) | undefined;
}

interface HandlerOptions<Name, Reads, LooksUp, Writes> {
  readonly name: Name;
  readonly reads: readonly Reads[];
  readonly looksUp?: readonly LooksUp[];
  readonly writes: readonly Writes[];
  /** Default 64. */
  readonly concurrency?: number;
  /** Default 50,000. */
  readonly mostDeferred?: number;
  /** Default true for projectors and saga handlers, false for the others. */
  readonly strictOrder?: boolean;
  /** Default true. */
  readonly partitioned?: boolean;
  readonly retry?: RetryPolicy;
  /** Of a projector whose view follows from what it is handed. */
  readonly rebuild?: ViewFold;
}

const ordered: readonly Role[] = ['sagaHandler', 'projector'];

function declare(role: Role) {
  return <
    const Name extends string,
    Reads extends StreamDefinition = never,
    LooksUp extends StreamDefinition = never,
    Writes extends StreamDefinition = never,
    Services = unknown,
  >(
    options: HandlerOptions<Name, Reads, LooksUp, Writes> & {
      create(services: Services): InstanceOf<Reads, LooksUp, Writes>;
    },
  ): HandlerDeclaration<Name, Reads, LooksUp, Writes, Services> => ({
    name: options.name,
    role,
    reads: options.reads,
    looksUp: options.looksUp ?? [],
    writes: options.writes,
    concurrency: options.concurrency ?? 64,
    mostDeferred: options.mostDeferred ?? 50_000,
    strictOrder: options.strictOrder ?? ordered.includes(role),
    partitioned: options.partitioned ?? true,
    retry: options.retry ?? defaultRetryPolicy,
    rebuild: options.rebuild,
    create: options.create,
  });
}

/** Acts on operations (and on the events that fan out into operations). */
export const defineBot = declare('bot');
/** Writes views and snapshots; causes nothing else. */
export const defineProjector = declare('projector');
/** Turns an event into an internal operation. */
export const defineReactor = declare('reactor');
/** Sees a saga through: reads outcomes, writes what follows. */
export const defineSagaHandler = declare('sagaHandler');

/** Declares a client: code outside the flow, such as an HTTP controller, that appends and reads single streams. */
export function defineClient<
  const Name extends string,
  LooksUp extends StreamDefinition = never,
  Writes extends StreamDefinition = never,
>(options: {
  readonly name: Name;
  readonly looksUp?: readonly LooksUp[];
  readonly writes: readonly Writes[];
}): HandlerDeclaration<Name, never, LooksUp, Writes> {
  return {
    name: options.name,
    role: 'client',
    reads: [],
    looksUp: options.looksUp ?? [],
    writes: options.writes,
    concurrency: 0,
    mostDeferred: 0,
    strictOrder: false,
    partitioned: false,
    retry: defaultRetryPolicy,
    create: () => ({ handle: () => Promise.resolve() }),
  };
}
