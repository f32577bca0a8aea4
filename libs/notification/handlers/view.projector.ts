import { LRUCache } from 'lru-cache';
import { correlationOf, type RecordedEvent, type RecordOf } from '#libs/kernel';
import { defineProjector, ViewSwitched, type Deferred, type HandlerContext, type KnownRevision } from '#libs/runtime';
import { CorruptedIdempotency, WrongExpectedRevision } from '#libs/store/port';
import { channelEvents, isChannelEvent, type ChannelEvents } from '../channels.js';
import { notification, notificationEvents, type NotificationState } from '../event/notification.js';
import { foldVersion, notificationSnapshots } from '../snapshot/notification-snapshot.js';
import { readHistory } from '../view/history.js';
import { isFinal, notificationViews, type NotificationView } from '../view/notification-view.js';
import { project, type ViewSource } from '../view/project.js';

type Context = HandlerContext<
  typeof notificationEvents | ChannelEvents | typeof notificationViews,
  typeof notificationViews | typeof notificationSnapshots
>;

/** An intermediate state is written at most that often; a final one at once. In milliseconds. */
const settleTime = 1_000;
const sweepEvery = 250;
/** More would cost the deliveries that everybody waits for; a view that is not written yet is folded when it is read. */
const mostEachSweep = 50;
const mostRemembered = 10_000;
/** With more that wait, the oldest is written at once: what waits is kept in memory. */
const mostUnwritten = 5_000;

interface Projection {
  view: NotificationView;
  /** The aggregate, for the snapshot. */
  state: NotificationState;
  /** Of the last record that the view shows: its cause, so that the same cause always writes the same view. */
  context: Context;
  /** The view stream; undefined: none is known. After a rebuild it is another one. */
  stream: string | undefined;
  /** Its revision. */
  written: KnownRevision;
  /** Position up to which the view stream shows it. */
  shown: bigint;
  snapshotTaken: boolean;
}

interface Unwritten {
  readonly since: number;
  readonly projection: Projection;
  readonly settle: ((done: boolean) => void)[];
  readonly fail: ((error: unknown) => void)[];
}

/** Keeps a view of each notification, and a snapshot once it has ended. */
export const viewProjector = defineProjector({
  name: 'notification.view-projector',
  reads: [notificationEvents, ...channelEvents],
  looksUp: [notificationViews],
  writes: [notificationViews, notificationSnapshots],
  concurrency: 256,
  rebuild: {
    view: notificationViews,
    type: 'notification.view.v1',
    keyOf: correlationOf,
    begins: isBeginning,
    fold: (view: NotificationView | undefined, records: readonly ViewSource[]) => records.reduce(project, view),
  },
  create: () => new ViewProjector(),
});

class ViewProjector {
  private readonly projections = new LRUCache<string, Projection>({ max: mostRemembered });
  /** Views that are newer than their stream, oldest first. */
  private readonly unwritten = new Map<string, Unwritten>();
  private readonly flushing = new Set<Promise<void>>();
  private readonly sweeper = setInterval(() => this.writeSettled(), sweepEvery);

  handle = async (record: ViewSource, context: Context): Promise<Deferred | void> => {
    const id = context.correlationId;
    // What is not written yet is newer than anything that could be read.
    const known = this.unwritten.get(id)?.projection ?? this.projections.get(id);
    const projection = known ?? (isBeginning(record) ? begin(record, context) : await recall(id, context));
    if (projection === undefined) return;
    if (known !== undefined) advance(projection, record, context);
    this.projections.set(id, projection);
    if (BigInt(projection.view.position) <= projection.shown) return;
    const deferred = this.defer(id, projection);
    if (isFinal(projection.view)) this.flush(id);
    return deferred;
  };

  async stop(): Promise<void> {
    clearInterval(this.sweeper);
    for (const id of this.unwritten.keys()) this.flush(id);
    await Promise.all(this.flushing);
  }

  private defer(id: string, projection: Projection): Deferred {
    let unwritten = this.unwritten.get(id);
    if (unwritten === undefined) {
      unwritten = { since: projection.context.now(), projection, settle: [], fail: [] };
      this.unwritten.set(id, unwritten);
      if (this.unwritten.size > mostUnwritten) this.flush(this.unwritten.keys().next().value!);
    }
    const { settle, fail } = unwritten;
    return {
      settled: new Promise((resolve, reject) => {
        settle.push(resolve);
        fail.push(reject);
      }),
    };
  }

  private writeSettled(): void {
    let written = 0;
    for (const [id, { since, projection }] of this.unwritten) {
      if (projection.context.now() - since < settleTime || written === mostEachSweep) return;
      this.flush(id);
      written += 1;
    }
  }

  private flush(id: string): void {
    const unwritten = this.unwritten.get(id)!;
    this.unwritten.delete(id);
    const flushed = this.settle(id, unwritten).finally(() => this.flushing.delete(flushed));
    this.flushing.add(flushed);
  }

  private async settle(id: string, { projection, settle, fail }: Unwritten): Promise<void> {
    try {
      await write(id, projection);
      // Nothing more is to come: what comes all the same is read.
      if (isFinal(projection.view)) this.projections.delete(id);
      for (const done of settle) done(true);
    } catch (error) {
      this.projections.delete(id);
      for (const failed of fail) failed(error);
    }
  }
}

function isBeginning({ type }: RecordedEvent): boolean {
  return type === 'notification.requested.v1';
}

function begin(record: ViewSource, context: Context): Projection {
  return {
    view: project(undefined, record)!,
    state: evolve(notification.initial(), record),
    context,
    stream: undefined,
    written: 'noStream',
    shown: -1n,
    snapshotTaken: false,
  };
}

function advance(projection: Projection, record: ViewSource, context: Context): void {
  if (record.position <= BigInt(projection.view.position)) return;
  projection.view = project(projection.view, record)!;
  projection.state = evolve(projection.state, record);
  projection.context = context;
}

function evolve(state: NotificationState, record: ViewSource): NotificationState {
  return isChannelEvent(record) ? state : notification.evolve(state, record);
}

/** Folds all that stands so far: more than the record at hand, perhaps, but never less. */
async function recall(id: string, context: Context): Promise<Projection | undefined> {
  let projection: Projection | undefined;
  for (const record of await readHistory(context, id)) {
    if (projection !== undefined) advance(projection, record, context);
    else if (isBeginning(record)) projection = begin(record, context);
  }
  const last = await context.last(notificationViews, id);
  if (projection !== undefined) showsAlready(projection, last);
  return projection;
}

function showsAlready(projection: Projection, last: RecordOf<typeof notificationViews> | undefined): void {
  projection.stream = last?.stream;
  projection.written = last?.revision ?? 'noStream';
  projection.shown = last === undefined ? -1n : BigInt(last.data.position);
}

/** Writes what is not written yet. The snapshot goes first, so that a final view never stands without it. */
async function write(id: string, projection: Projection): Promise<void> {
  while (BigInt(projection.view.position) > projection.shown) {
    const { view, state, context } = projection;
    const snapshot = { foldVersion, revision: String(view.revision), state };
    const takesSnapshot = isFinal(view) && !projection.snapshotTaken;
    const ofSnapshot = takesSnapshot
      ? [context.write(notificationSnapshots, id, 'noStream', [{ type: 'notification.snapshot.v1', data: snapshot }])]
      : [];
    const ofView = context.write(notificationViews, id, projection.written, [
      { type: 'notification.view.v1', data: view },
    ]);
    if (projection.stream !== undefined && projection.stream !== ofView.stream) {
      // Another version serves: it may show more than this projection knows.
      showsAlready(projection, await context.last(notificationViews, id));
      continue;
    }
    try {
      const results = await context.append(...ofSnapshot, ofView);
      projection.stream = ofView.stream;
      projection.snapshotTaken ||= takesSnapshot;
      projection.written = results.at(-1)!.revision;
      projection.shown = BigInt(view.position);
    } catch (error) {
      if (error instanceof ViewSwitched) continue;
      if (!(error instanceof WrongExpectedRevision) && !(error instanceof CorruptedIdempotency)) throw error;
      // An earlier run has taken the snapshot, or written the view: an older one never overwrites it.
      if (error.stream !== ofView.stream) projection.snapshotTaken = true;
      else showsAlready(projection, await context.last(notificationViews, id));
    }
  }
}
