import { correlationOf } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import { partitionOf, partitionsOf } from '../consumer/partitions.js';
import { bookkeepingKey, type Split } from '../consumer/split.js';
import type { AnyHandler } from '../topology/handler.js';
import { savedPosition } from './saved-position.js';

/**
 * How far a consumer is, also where other processes run it or parts of it. Those save how far they are only after they have
 * had something to do: up to the first record that is theirs and not done, everything is.
 */
export class SavedPositions {
  /** Everything up to here is known to be done. */
  private done = 0n;

  /** @param split how flows are split in this store; undefined until that is known */
  constructor(
    private readonly store: EventStore,
    private readonly handler: AnyHandler,
    private readonly split: () => Split | undefined,
  ) {}

  /**
   * Where the last of its partitions goes on when it is started again: every record up to there is done with, and perhaps
   * more. A position that was one of the store's.
   * @param here the position of a partition that runs in this process; undefined where it does not
   */
  async saved(here: (partition: number) => bigint | undefined): Promise<bigint> {
    const split = this.split();
    return split === undefined ? 0n : leastOf(await this.positions(split, here));
  }

  /** Every record up to there is done with: more is known than by `saved`. */
  async least(here: (partition: number) => bigint | undefined): Promise<bigint> {
    const split = this.split();
    if (split === undefined) return 0n;
    const count = partitionsOf(this.handler, split.count);
    const isHere = Array.from({ length: count }, (_, partition) => here(partition) !== undefined);
    if (isHere.every(Boolean)) return this.saved(here);
    // Before the checkpoints, so that all that is not there by then is looked at.
    const head = await this.store.head();
    const positions = await this.positions(split, here);
    const from = leastOf(positions);
    if (from > this.done) this.done = from;
    const filter = { categories: this.handler.reads.map(({ category }) => category) };
    // From a position at which there is a record: EventStoreDB takes no other.
    for await (const record of this.store.readAll({ from: this.done, filter })) {
      if (record.type.startsWith('$') || record.position <= this.done) continue;
      if (record.position > positions[partitionOf(correlationOf(record), count)]!) return record.position - 1n;
      this.done = record.position;
    }
    return head > this.done ? head : this.done;
  }

  private positions(split: Split, here: (partition: number) => bigint | undefined): Promise<readonly bigint[]> {
    const count = partitionsOf(this.handler, split.count);
    const known = Array.from({ length: count }, (_, partition) => here(partition));
    const saved = (partition: number) => savedPosition(this.store, bookkeepingKey(this.handler, partition, split));
    return Promise.all(known.map(async (position, partition) => position ?? (await saved(partition)) ?? 0n));
  }
}

function leastOf(positions: readonly bigint[]): bigint {
  return positions.reduce((least, position) => (position < least ? position : least));
}
