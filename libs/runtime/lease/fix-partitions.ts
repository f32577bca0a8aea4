import { newId, TidingsError } from '#libs/kernel';
import { WrongExpectedRevision, type EventStore } from '#libs/store/port';
import { pause } from '../consumer/pause.js';
import { readSplit, splitStream, type NotedSplit, type Split } from '../consumer/split.js';
import { runtimeMembers } from '../streams.js';
import type { SharingOptions } from './sharing.js';

/** So often somebody may turn out to be alive while the number is being changed. */
const mostRounds = 10;

/** The store's flows are split differently, by processes that are alive. */
export class PartitionsDiffer extends TidingsError {
  readonly code = 'partitions-differ';
  constructor(
    readonly fixed: number,
    readonly wanted: number,
  ) {
    super(
      `processes use the event store with ${fixed} partitions, and it cannot be used with ${wanted} meanwhile: ` +
        `set TIDINGS_PARTITIONS=${fixed}, or stop all of them first`,
    );
  }
}

/** The store's flows are split differently, and nobody has asked to change that. */
export class PartitionsUnset extends TidingsError {
  readonly code = 'partitions-unset';
  constructor(fixed: number, usual: number) {
    super(
      `the event store is used with ${fixed} partitions: set TIDINGS_PARTITIONS=${fixed}, or ${usual} to change that`,
    );
  }
}

/** How flows are split for a process that has the store to itself: not at all, from now on. @throws StoreUnavailable */
export async function splitAlone(store: EventStore): Promise<Split> {
  for (;;) {
    const { split, announced, revision } = await readSplit(store);
    if (split.count === 1 && announced === undefined) return split;
    await note(store, revision, 'runtime.partitions-fixed.v1', 1);
  }
}

/**
 * How flows are split for all processes of a store. Their number is changed only where nobody is alive: it is announced once
 * there was no sign of life for the time of a lease, and fixed once there was none for another. Whoever is told of the
 * announcement gives up, and is told of it before any later sign of life of its own, without which it gets no slot: so
 * nobody has one when the number is fixed.
 * @returns undefined where the signal is aborted before; `after`: changes that come later are to be followed
 * @throws PartitionsDiffer, PartitionsUnset, StoreUnavailable
 */
export async function agreeOnSplit(
  store: EventStore,
  {
    partitions: count,
    keepsPartitions: keeps = false,
    ttl,
  }: Pick<SharingOptions, 'partitions' | 'keepsPartitions' | 'ttl'>,
  signal: AbortSignal,
): Promise<{ readonly split: Split; readonly after: bigint } | undefined> {
  for (let rounds = 0; !signal.aborted; rounds += 1) {
    const after = await store.head();
    const noted = await readSplit(store);
    const { split, announced, revision } = noted;
    if (isFixed(noted, count)) return { split, after };
    if (keeps && split.count > 1) throw new PartitionsUnset(split.count, count);
    const isNew = revision === 'noStream';
    if (!isNew && (await isAnybodyAlive(store, after, ttl, signal))) {
      // Those that were alive when it was announced are about to give up; or they are those that have fixed it meanwhile.
      const isUnderWay = announced === count || (await readSplit(store)).revision !== revision;
      if (isUnderWay && rounds < mostRounds) continue;
      throw new PartitionsDiffer(announced ?? split.count, count);
    }
    if (signal.aborted) break;
    const type = isNew || announced === count ? 'runtime.partitions-fixed.v1' : 'runtime.partitions-changing.v1';
    await note(store, revision, type, count);
  }
  return undefined;
}

function isFixed({ split, announced, revision }: NotedSplit, count: number): boolean {
  return revision !== 'noStream' && announced === undefined && split.count === count;
}

async function isAnybodyAlive(store: EventStore, after: bigint, ttl: number, signal: AbortSignal): Promise<boolean> {
  await pause(ttl, signal);
  const filter = { categories: [runtimeMembers.category] };
  for await (const { type, position } of store.readAll({ from: after, filter })) {
    if (position > after && type === 'runtime.member-alive.v1') return true;
  }
  return false;
}

/** Of several processes that note something one does; all read what it was. */
async function note(store: EventStore, expected: bigint | 'noStream', type: string, count: number): Promise<void> {
  try {
    await store.append(splitStream, expected, [{ id: newId(), type, data: { count } }]);
  } catch (error) {
    if (!(error instanceof WrongExpectedRevision)) throw error;
  }
}
