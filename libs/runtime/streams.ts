import { defineStream, type Schema } from '#libs/kernel';

/** Where a record stands, for finding it again. Revisions and positions are decimal strings. */
export interface RecordRef {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: string;
  readonly position: string;
}

/** Tells a record from all others: its id alone is unique within its stream only. */
export function identityOf({ stream, id }: Pick<RecordRef, 'stream' | 'id'>): string {
  return `${stream}/${id}`;
}

/** One failed try. `at` in milliseconds since the Unix epoch. */
export interface FailedTry {
  readonly at: number;
  readonly error: string;
}

export interface CheckpointReached {
  /** Every record up to this position has been handled, or stands in the retry or parked stream. */
  readonly position: string;
  /** Set where a process took the consumer over: whoever had it before cannot write any more. */
  readonly epoch?: number;
}

/** A process took the consumer over: whoever had it before cannot write the stream any more. */
export interface TakenOver {
  readonly epoch: number;
}

export interface RetryScheduled {
  readonly record: RecordRef;
  readonly correlationId: string;
  /** Not handed out earlier, milliseconds since the Unix epoch; null: waits behind another record of its flow. */
  readonly dueAt: number | null;
  readonly tries: readonly FailedTry[];
}

export interface RetryEnded {
  readonly recordId: string;
  readonly stream: string;
  readonly outcome: 'handled' | 'parked';
}

export interface RecordParked {
  readonly record: RecordRef;
  readonly correlationId: string;
  readonly tries: readonly FailedTry[];
}

export interface RecordUnparked {
  readonly recordId: string;
  readonly stream: string;
}

export interface RecordArchived extends RecordUnparked {
  /** When, milliseconds since the Unix epoch; left out where it is the time of this record. */
  readonly at?: number;
}

/** What an operator told the consumer; the record's time is when. */
export type ConsumerControlled = Readonly<Record<never, never>>;

/**
 * An operator wants parked records to be tried again, or to be given up for good. One that was parked anew since, or is not
 * parked any more, is not meant: so the same request has its effect once, however often it is read.
 */
export interface ReleaseRequested {
  /** Ids of the events by which the records were parked. */
  readonly parkings: readonly string[];
}

/** What a process tells the others of a consumer. */
export interface ToldConsumer {
  readonly name: string;
  readonly state: string;
  /** Since the process started. */
  readonly handled: number;
  readonly waiting: number;
  readonly retrying: number;
  readonly lastError: FailedTry | null;
}

export interface StatusTold {
  readonly consumers: readonly ToldConsumer[];
}

/** A process says that it is there. */
export interface MemberAlive {
  /** Counts from 1. */
  readonly beat: number;
  /** The groups of handlers that it runs; none any more while it drains. */
  readonly groups: readonly string[];
}

export type MemberLeft = Readonly<Record<never, never>>;

/** Who has a slot from now on, or had it until now. */
export interface LeaseChanged {
  /** Id of the process, as in its member stream. */
  readonly holder: string;
  /** Counts who had the slot, from 1. */
  readonly epoch: number;
}

/** Into how many partitions flows are split from now on, or are going to be once nobody handles them any more. */
export interface PartitionsCounted {
  readonly count: number;
}

/** A version of a view's streams. */
export interface ViewVersion {
  readonly version: number;
}

/** From now on the version serves. */
export interface VersionSwitched extends ViewVersion {
  /**
   * The version before shows everything up to here; what the new one shows besides stands after it, also before the switch.
   * Undefined in older records.
   */
  readonly position?: string;
}

export interface RebuildProgressed {
  readonly version: number;
  /** Everything up to here is in. */
  readonly position: string;
  /** Records replayed so far. */
  readonly records: number;
  /** Why it cannot go on, until it tries again; null: it goes on. */
  readonly error: string | null;
}

export interface KeyStoreNoted {
  /** Id of the key store: of the key in it that is the installation's. */
  readonly keyStore: string;
}

export interface TimerScheduled {
  /** Milliseconds since the Unix epoch. */
  readonly dueAt: number;
  /** What it is for: handlers react to the purposes they know. */
  readonly purpose: string;
}

export interface TimerEnded {
  readonly purpose: string;
}

/** A timer as its agenda knows it: its stream says the rest. */
export interface NotedTimer {
  /** Of the timer's stream. */
  readonly key: string;
  /** Milliseconds since the Unix epoch. */
  readonly dueAt: number;
}

export interface TimersNoted {
  readonly timers: readonly NotedTimer[];
}

export interface AgendaKept {
  /** Days that have timers, since the Unix epoch. */
  readonly days: readonly number[];
  /** Every timer that was noted for a time before it has ended. Milliseconds since the Unix epoch. */
  readonly endedBefore: number;
}

type Kind =
  | 'string'
  | 'string or null'
  | 'string or undefined'
  | 'number'
  | 'number or null'
  | 'number or undefined'
  | 'object'
  | 'array';

/** The fields of data that only the runtime writes: more would not be bad input but a bug in the runtime. */
function internal<Data>(fields: Readonly<Record<keyof Data & string, Kind>>): Schema<Data> {
  const expected = Object.entries<Kind>(fields).map(([name, kind]) => [name, kind.split(' or ')] as const);
  return {
    problems: (data) =>
      kindOf(data) === 'object'
        ? expected
            .filter(([name, kinds]) => !kinds.includes(kindOf((data as Record<string, unknown>)[name])))
            .map(([name, kinds]) => `${name}: must be of type ${kinds.join(' or ')}`)
        : ['must be an object'],
    jsonSchema: () => ({
      type: 'object',
      properties: Object.fromEntries(
        expected.map(([name, kinds]) => [name, { type: kinds.filter((kind) => kind !== 'undefined') }]),
      ),
      required: expected.filter(([, kinds]) => !kinds.includes('undefined')).map(([name]) => name),
    }),
  };
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** One stream a consumer: how far it is. */
export const runtimeCheckpoints = defineStream('runtime', 'checkpoint', {
  'runtime.checkpoint-reached.v1': internal<CheckpointReached>({
    position: 'string',
    epoch: 'number or undefined',
  }),
});

/** One stream a consumer: the records it will try again. */
export const runtimeRetries = defineStream('runtime', 'retry', {
  'runtime.retry-scheduled.v1': internal<RetryScheduled>({
    record: 'object',
    correlationId: 'string',
    dueAt: 'number or null',
    tries: 'array',
  }),
  'runtime.retry-ended.v1': internal<RetryEnded>({ recordId: 'string', stream: 'string', outcome: 'string' }),
  'runtime.retry-taken-over.v1': internal<TakenOver>({ epoch: 'number' }),
});

/** One stream a consumer: the records it has given up, until somebody redrives or archives them. */
export const runtimeParked = defineStream('runtime', 'parked', {
  'runtime.record-parked.v1': internal<RecordParked>({ record: 'object', correlationId: 'string', tries: 'array' }),
  'runtime.record-redriven.v1': internal<RecordUnparked>({ recordId: 'string', stream: 'string' }),
  'runtime.record-archived.v1': internal<RecordArchived>({
    recordId: 'string',
    stream: 'string',
    at: 'number or undefined',
  }),
  'runtime.parked-taken-over.v1': internal<TakenOver>({ epoch: 'number' }),
});

/** One stream a consumer: whether an operator has paused it. */
export const runtimeControls = defineStream('runtime', 'control', {
  'runtime.consumer-paused.v1': internal<ConsumerControlled>({}),
  'runtime.consumer-resumed.v1': internal<ConsumerControlled>({}),
});

/** One stream a consumer: what operators want of its parked records. Whoever has a partition does what concerns it. */
export const runtimeRequests = defineStream('runtime', 'request', {
  'runtime.redrive-requested.v1': internal<ReleaseRequested>({ parkings: 'array' }),
  'runtime.archive-requested.v1': internal<ReleaseRequested>({ parkings: 'array' }),
});

/** One stream a process that shares the store with others: how its consumers fare. */
export const runtimeStatuses = defineStream('runtime', 'status', {
  'runtime.status-told.v1': internal<StatusTold>({ consumers: 'array' }),
});

/** One stream a view, by its declared category: which version serves, and which is being built or to be removed. */
export const runtimeVersions = defineStream('runtime', 'version', {
  'runtime.rebuild-requested.v1': internal<ViewVersion>({ version: 'number' }),
  'runtime.rebuild-cancelled.v1': internal<ViewVersion>({ version: 'number' }),
  'runtime.view-switched.v1': internal<VersionSwitched>({ version: 'number', position: 'string or undefined' }),
  'runtime.version-removed.v1': internal<ViewVersion>({ version: 'number' }),
});

/** One stream a view: how far its rebuild is. */
export const runtimeRebuilds = defineStream('runtime', 'rebuild', {
  'runtime.rebuild-progressed.v1': internal<RebuildProgressed>({
    version: 'number',
    position: 'string',
    records: 'number',
    error: 'string or null',
  }),
});

/** One stream a process that shares the store with others: that it is alive. */
export const runtimeMembers = defineStream('runtime', 'member', {
  'runtime.member-alive.v1': internal<MemberAlive>({ beat: 'number', groups: 'array' }),
  'runtime.member-left.v1': internal<MemberLeft>({}),
});

/** One stream a slot: which process has it. */
export const runtimeLeases = defineStream('runtime', 'lease', {
  'runtime.lease-taken.v1': internal<LeaseChanged>({ holder: 'string', epoch: 'number' }),
  'runtime.lease-released.v1': internal<LeaseChanged>({ holder: 'string', epoch: 'number' }),
});

/**
 * What holds for all processes of an event store. The stream `keys` names the key store that its personal data is sealed
 * with, the stream `partitions` says how many partitions there are.
 */
export const runtimeInstallations = defineStream('runtime', 'installation', {
  'runtime.key-store-noted.v1': internal<KeyStoreNoted>({ keyStore: 'string' }),
  'runtime.partitions-changing.v1': internal<PartitionsCounted>({ count: 'number' }),
  'runtime.partitions-fixed.v1': internal<PartitionsCounted>({ count: 'number' }),
});

/** The runtime's own, which stand in no topology: no handler writes them. */
export const bookkeepingStreams = [
  runtimeCheckpoints,
  runtimeRetries,
  runtimeParked,
  runtimeControls,
  runtimeRequests,
  runtimeStatuses,
  runtimeMembers,
  runtimeLeases,
  runtimeVersions,
  runtimeRebuilds,
  runtimeInstallations,
] as const;

/** One stream a timer; it ends with the one event that wins its revision 1. */
export const runtimeTimers = defineStream('runtime', 'timer', {
  'runtime.timer-scheduled.v1': internal<TimerScheduled>({ dueAt: 'number', purpose: 'string' }),
  'runtime.timer-fired.v1': internal<TimerEnded>({ purpose: 'string' }),
  'runtime.timer-cancelled.v1': internal<TimerEnded>({ purpose: 'string' }),
});

/** The timers that are pending: one stream for each day on which some are due, and one that says which days these are. */
export const runtimeAgendas = defineStream('runtime', 'agenda', {
  'runtime.timers-noted.v1': internal<TimersNoted>({ timers: 'array' }),
  'runtime.agenda-kept.v1': internal<AgendaKept>({ days: 'array', endedBefore: 'number' }),
});
