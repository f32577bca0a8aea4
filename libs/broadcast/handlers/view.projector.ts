import { LRUCache } from 'lru-cache';
import { categoryOf, keyOf, type RecordedEvent, type RecordOf } from '#libs/kernel';
import { memberOf, notificationEvents } from '#libs/notification';
import {
  defineProjector,
  inFlow,
  ViewSwitched,
  type Deferred,
  type HandlerContext,
  type KnownRevision,
} from '#libs/runtime';
import { WrongExpectedRevision } from '#libs/store/port';
import { broadcastEvents } from '../event/broadcast.js';
import { broadcastViews, isFinal, type BroadcastView } from '../view/broadcast-view.js';
import { decidedView, endedIn, foldBroadcast, withEnded, type MemberEnded } from '../view/project.js';

type Seen = typeof broadcastEvents | typeof notificationEvents;
type Context = HandlerContext<Seen | typeof broadcastViews, typeof broadcastViews>;

/** A view is written at most that often, its last state at once. In milliseconds. */
const settleTime = 1_000;
const sweepEvery = 250;
const mostRemembered = 100;
const mostTries = 10;

/** The view as its stream has it. */
interface Written {
  readonly view: BroadcastView;
  readonly revision: KnownRevision;
  /** Undefined: there is none. After a rebuild it is another one. */
  readonly stream: string | undefined;
}

interface Unwritten {
  readonly since: number;
  readonly ended: MemberEnded[];
  readonly context: Context;
  readonly settle: ((done: boolean) => void)[];
  readonly fail: ((error: unknown) => void)[];
}

/**
 * Counts how the members of each broadcast ended. The view itself says which members are counted, so that the counts are
 * right in whatever order the ends come, and however often.
 */
export const broadcastViewProjector = defineProjector({
  name: 'broadcast.view-projector',
  reads: [broadcastEvents, notificationEvents],
  looksUp: [broadcastViews],
  writes: [broadcastViews],
  // It counts how the members' flows end.
  partitioned: false,
  rebuild: {
    view: broadcastViews,
    type: 'broadcast.view.v1',
    keyOf: broadcastOf,
    begins: ({ type }) => type === 'broadcast.requested.v1',
    fold: foldBroadcast,
  },
  create: () => new ViewProjector(),
});

class ViewProjector {
  private readonly known = new LRUCache<string, Written>({ max: mostRemembered });
  /** What the views do not show yet, by broadcast. */
  private readonly unwritten = new Map<string, Unwritten>();
  /** By broadcast: the writing under way, one after the other. */
  private readonly writing = new Map<string, Promise<void>>();
  private readonly sweeper = setInterval(() => this.writeSettled(), sweepEvery);

  handle = (record: RecordOf<Seen>, context: Context): Promise<Deferred | void> => {
    if (record.type === 'broadcast.requested.v1' || record.type === 'broadcast.failed.v1') {
      return Promise.resolve(this.defer(context.correlationId, undefined, context));
    }
    const ended = endedIn(record);
    return Promise.resolve(ended && this.defer(ended.broadcastId, ended, context));
  };

  async stop(): Promise<void> {
    clearInterval(this.sweeper);
    for (const id of this.unwritten.keys()) this.flush(id);
    await Promise.all(this.writing.values());
  }

  private defer(id: string, ended: MemberEnded | undefined, context: Context): Deferred {
    let unwritten = this.unwritten.get(id);
    if (unwritten === undefined) {
      unwritten = { since: context.now(), ended: [], context, settle: [], fail: [] };
      this.unwritten.set(id, unwritten);
    }
    if (ended !== undefined) unwritten.ended.push(ended);
    const { settle, fail } = unwritten;
    const settled = new Promise<boolean>((resolve, reject) => {
      settle.push(resolve);
      fail.push(reject);
    });
    if (this.isLast(id)) this.flush(id);
    return { settled };
  }

  /** True where there is no view yet, or what is not written may complete it. */
  private isLast(id: string): boolean {
    if (this.writing.has(id)) return false;
    const pending = this.known.get(id)?.view.counts.pending ?? 0;
    return this.unwritten.get(id)!.ended.length >= pending;
  }

  private writeSettled(): void {
    for (const [id, { since, context }] of this.unwritten) {
      if (context.now() - since >= settleTime && !this.writing.has(id)) this.flush(id);
    }
  }

  private flush(id: string): void {
    const unwritten = this.unwritten.get(id)!;
    this.unwritten.delete(id);
    const before = this.writing.get(id) ?? Promise.resolve();
    const done = before
      .then(() => this.settle(id, unwritten))
      .finally(() => {
        if (this.writing.get(id) !== done) return;
        this.writing.delete(id);
        if (this.unwritten.has(id) && this.isLast(id)) this.flush(id);
      });
    this.writing.set(id, done);
  }

  private async settle(id: string, { ended, context, settle, fail }: Unwritten): Promise<void> {
    try {
      await this.write(id, ended, context);
      for (const done of settle) done(true);
    } catch (error) {
      this.known.delete(id);
      for (const failed of fail) failed(error);
    }
  }

  private async write(id: string, ended: readonly MemberEnded[], context: Context): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const before = this.known.get(id) ?? (await recall(id, context));
      if (before === undefined) throw new Error(`the broadcast ${id} has members, but no events`);
      const view = withEnded(before.view, ended);
      // Fresh ids: what a view shows depends on when it is written, not on its last cause alone.
      const append = context.write(
        broadcastViews,
        id,
        before.revision,
        [{ type: 'broadcast.view.v1', data: view }],
        'fresh',
      );
      if (before.stream !== undefined && before.stream !== append.stream) {
        // Another version serves: it may show more than is known here.
        this.known.delete(id);
        continue;
      }
      if (view === before.view && before.revision !== 'noStream') {
        this.known.set(id, before);
        return;
      }
      try {
        const [result] = await context.append(inFlow(append, id));
        if (isFinal(view)) this.known.delete(id);
        else this.known.set(id, { view, revision: result!.revision, stream: append.stream });
        return;
      } catch (error) {
        const moved = error instanceof WrongExpectedRevision || error instanceof ViewSwitched;
        if (!moved || tries === mostTries) throw error;
        this.known.delete(id);
      }
    }
  }
}

/** What is written, or what there is to begin with; undefined where nothing has been decided. */
async function recall(id: string, context: Context): Promise<Written | undefined> {
  const last = await context.last(broadcastViews, id);
  if (last !== undefined) return { view: last.data, revision: last.revision, stream: last.stream };
  const view = decidedView(await context.read(broadcastEvents, id));
  return view && { view, revision: 'noStream', stream: undefined };
}

function broadcastOf(record: RecordedEvent): string | undefined {
  return categoryOf(record.stream) === broadcastEvents.category ? keyOf(record.stream) : memberOf(record)?.broadcastId;
}
