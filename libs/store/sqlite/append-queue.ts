import type { RecordedEvent } from '#libs/kernel';
import {
  CorruptedIdempotency,
  StreamDeleted,
  type StoreUnavailable,
  WrongExpectedRevision,
  type AppendResult,
  type Tail,
} from '#libs/store/port';
import type { Channel } from './channel.js';
import { BatchWriter, recordOf, type Entry } from './codec.js';
import { outcomeWidth, Status, type BatchReply, type WriterRequest } from './messages.js';
import type { Tuning } from './options.js';

/** Entries that belong together: the next is only tried when the one before did not fail. */
interface Group {
  readonly entries: readonly Entry[];
  readonly results: AppendResult[];
  /** What to reject with once all entries are in: the first that was not valid. */
  readonly invalid: unknown;
  readonly resolve: (results: readonly AppendResult[]) => void;
  readonly reject: (error: unknown) => void;
  settled: boolean;
  /** Some of it is with the writer: the rest waits for how that goes. */
  sent: boolean;
}

interface Queued {
  readonly entry: Entry;
  readonly group: Group;
}

/** Two, so that the writer commits one batch while this thread answers the one before and makes the next. */
const maxBatchesInFlight = 2;
/** Fewer appends than these go as one batch: two commits would cost more than working at the same time saves. */
const minAppendsToSplit = 32;

/**
 * Group commit: while batches are with the writer, appends wait; then all of them go as the next one, in one
 * transaction. The more producers, the larger the batches, at the same cost for the disk.
 */
export class AppendQueue {
  readonly #channel: Channel<WriterRequest>;
  readonly #tail: Tail;
  readonly #tuning: Tuning;
  #queue: Queued[] = [];
  #scheduled = false;
  #inFlight = 0;
  #failed: StoreUnavailable | undefined;
  #idle: (() => void)[] = [];
  commits = 0;
  records = 0;
  bytes = 0;

  constructor(channel: Channel<WriterRequest>, tail: Tail, tuning: Tuning) {
    this.#channel = channel;
    this.#tail = tail;
    this.#tuning = tuning;
  }

  /** Appends in order up to the first failure; `invalid` is thrown when all of the entries are in. */
  add(entries: readonly Entry[], invalid?: unknown): Promise<readonly AppendResult[]> {
    return new Promise((resolve, reject) => {
      const group: Group = { entries, results: [], invalid, resolve, reject, settled: false, sent: false };
      if (this.#failed !== undefined) reject(this.#failed);
      else if (entries.length === 0) this.#settle(group);
      else {
        for (const entry of entries) this.#queue.push({ entry, group });
        this.#schedule();
      }
    });
  }

  /** Rejects everything that waits, and whatever comes after. */
  fail(error: StoreUnavailable): void {
    this.#failed = error;
    for (const { group } of this.#queue.splice(0)) this.#reject(group, error);
  }

  /** Resolves when everything accepted so far is answered. */
  drained(): Promise<void> {
    return this.#scheduled || this.#inFlight > 0
      ? new Promise((resolve) => this.#idle.push(resolve))
      : Promise.resolve();
  }

  /** In the next turn, so that everyone who appends in this one is in the batch. */
  #schedule(): void {
    if (this.#scheduled || this.#inFlight >= maxBatchesInFlight) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#send();
    });
  }

  async #send(): Promise<void> {
    const batch = this.#take();
    if (batch.length > 0) {
      this.#inFlight += 1;
      if (this.#queue.length > 0) this.#schedule();
      await this.#commit(batch);
      this.#inFlight -= 1;
    } else if (this.#inFlight > 0) {
      // All that waits belongs to what is with the writer: its answer comes back here.
      return;
    }
    if (this.#queue.length > 0) this.#schedule();
    else if (this.#inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #commit(batch: readonly Queued[]): Promise<void> {
    const created = Date.now();
    const writer = new BatchWriter();
    const groups = new Map<Group, number>();
    for (const { entry, group } of batch) {
      if (!groups.has(group)) groups.set(group, groups.size);
      writer.add(entry, groups.get(group)!);
    }
    const request = writer.finish(created);
    try {
      const reply = await this.#channel.call<BatchReply>(request, [request.numbers.buffer as ArrayBuffer]);
      this.bytes += request.text.length;
      for (const group of groups.keys()) group.sent = false;
      this.#answer(batch, reply, created);
    } catch (thrown) {
      for (const { group } of batch) this.#reject(group, thrown);
    }
  }

  #take(): Queued[] {
    const batch: Queued[] = [];
    const split = this.#inFlight === 0 && this.#queue.length >= minAppendsToSplit;
    const most = split ? Math.ceil(this.#queue.length / 2) : this.#queue.length;
    let events = 0;
    let length = 0;
    let index = 0;
    for (; index < this.#queue.length; index += 1) {
      const { entry, group } = this.#queue[index]!;
      if (group.settled) continue;
      if (group.sent || (batch.length >= most && group !== batch.at(-1)!.group)) break;
      events += entry.events.length;
      length += entry.length;
      const full = events > this.#tuning.maxBatchEvents || length > this.#tuning.maxBatchLength;
      if (full && batch.length > 0) break;
      batch.push(this.#queue[index]!);
    }
    this.#queue = this.#queue.slice(index);
    for (const { group } of batch) group.sent = true;
    return batch;
  }

  #answer(batch: readonly Queued[], reply: BatchReply, created: number): void {
    const records: RecordedEvent[] = [];
    const lengths: number[] = [];
    for (const [index, { entry }] of batch.entries()) {
      const [status, revision, position] = outcomeAt(reply, index);
      if (status !== Status.Appended) continue;
      const count = entry.events.length;
      for (const [at, event] of entry.events.entries()) {
        const back = count - 1 - at;
        records.push(recordOf(event, entry.stream, revision - back, position - back, created));
        lengths.push(entry.length / count);
      }
    }
    if (reply.own.length > 0) {
      for (const { id, stream, type, revision, position, data } of reply.own) {
        records.push({
          id,
          stream,
          type,
          revision,
          position: BigInt(position),
          created,
          data: JSON.parse(data),
          metadata: {},
          checked: false,
        });
      }
      records.sort((one, other) => Number(one.position - other.position));
      lengths.push(...reply.own.map(({ data }) => data.length));
    }
    if (records.length > 0) {
      this.commits += 1;
      this.records += records.length;
      this.#tail.push(records, lengths);
    }
    for (const [index, queued] of batch.entries()) this.#conclude(queued, outcomeAt(reply, index));
  }

  #conclude({ entry, group }: Queued, [status, revision, position]: [Status, number, number]): void {
    if (group.settled) return;
    const { stream, expected } = entry;
    switch (status) {
      case Status.Appended:
      case Status.Idempotent:
        group.results.push({ revision: BigInt(revision), position: BigInt(position) });
        if (group.results.length === group.entries.length) this.#settle(group);
        return;
      case Status.WrongExpectedRevision:
        return this.#reject(
          group,
          new WrongExpectedRevision(stream, expected, revision < 0 ? 'noStream' : BigInt(revision)),
        );
      case Status.CorruptedIdempotency:
        return this.#reject(group, new CorruptedIdempotency(stream));
      case Status.StreamDeleted:
        return this.#reject(group, new StreamDeleted(stream));
      case Status.Skipped:
        throw new Error('the writer skipped an entry of a group that did not fail');
    }
  }

  #settle(group: Group): void {
    if (group.invalid !== undefined) return this.#reject(group, group.invalid);
    group.settled = true;
    group.resolve(group.results);
  }

  #reject(group: Group, error: unknown): void {
    group.settled = true;
    group.reject(error);
  }
}

function outcomeAt({ outcomes }: BatchReply, index: number): [Status, number, number] {
  const at = index * outcomeWidth;
  return [outcomes[at]!, outcomes[at + 1]!, outcomes[at + 2]!];
}
