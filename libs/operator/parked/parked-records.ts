import { conflict, notFound } from '#libs/http';
import type { ArchivedRecord, RecordParked, Runtime } from '#libs/runtime';
import { matcherOf, type ParkedFilter } from './parked-filter.js';
import { parkedId, parkedItem, type ParkedItem, type ParkedState } from './parked-item.js';

/** Where a page of the list ends. */
export interface PageEnd {
  readonly position: bigint;
  readonly consumer: string;
}

export interface Page {
  readonly items: readonly ParkedItem[];
  /** Undefined where nothing follows. */
  readonly end: PageEnd | undefined;
}

export interface Redriven {
  readonly count: number;
  /** At most 1,000 of them. */
  readonly ids: readonly string[];
}

/** A parked or archived record, with its place in the list. */
interface Entry extends PageEnd {
  readonly parked: RecordParked | ArchivedRecord;
}

const mostIds = 1_000;
/** Records redriven at a time. */
const redrivenAtOnce = 256;

/** The parked records of all consumers of this process, in the order in which the records were appended. */
export class ParkedRecords {
  constructor(private readonly runtime: Runtime<never>) {}

  page(state: ParkedState, filter: ParkedFilter, limit: number, after: PageEnd | undefined): Page {
    const all = this.list(state, filter);
    const rest = after === undefined ? all : all.filter((entry) => compare(entry, after) > 0);
    const entries = rest.slice(0, limit);
    return { items: entries.map(itemOf), end: rest.length > limit ? entries.at(-1) : undefined };
  }

  /** Parked or archived. @throws Problem 404 */
  find(id: string): ParkedItem {
    return itemOf(this.entry(id));
  }

  /** Hands the parked records out again; a dry run only tells which. @throws Problem 409 where their consumer has stopped */
  async redrive(filter: ParkedFilter, dryRun: boolean): Promise<Redriven> {
    const entries = this.list('parked', filter);
    this.refuseStopped(entries);
    const redriven = dryRun ? entries : await this.redriveAll(entries);
    const ids = redriven.slice(0, mostIds).map(({ consumer, parked }) => parkedId(consumer, parked.record));
    return { count: redriven.length, ids };
  }

  /** Gives it up for good. Repeated, it answers the same. @throws Problem 404; 409 where its consumer has stopped */
  async archive(id: string): Promise<ParkedItem> {
    const entry = this.entry(id);
    if (!('archivedAt' in entry.parked)) {
      this.refuseStopped([entry]);
      await this.runtime.consumer(entry.consumer)!.archive(entry.parked.record);
    }
    // Redriven at the same time, it is neither parked nor archived now.
    return this.find(id);
  }

  private list(state: ParkedState, filter: ParkedFilter): readonly Entry[] {
    const matches = matcherOf(filter);
    const entries: Entry[] = [];
    for (const { name } of this.runtime.status()) {
      const consumer = this.runtime.consumer(name)!;
      for (const parked of state === 'parked' ? consumer.listParked() : consumer.listArchived()) {
        if (matches(name, parked)) entries.push({ position: BigInt(parked.record.position), consumer: name, parked });
      }
    }
    return entries.sort(compare);
  }

  private entry(id: string): Entry {
    const [entry] = [...this.list('parked', { ids: [id] }), ...this.list('archived', { ids: [id] })];
    if (entry === undefined) throw notFound('no consumer of this process has parked such a record');
    return entry;
  }

  private async redriveAll(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const redriven: Entry[] = [];
    for (let start = 0; start < entries.length; start += redrivenAtOnce) {
      const batch = entries.slice(start, start + redrivenAtOnce);
      const done = await Promise.all(
        batch.map(({ consumer, parked }) => this.runtime.consumer(consumer)!.redrive(parked.record)),
      );
      // One that somebody else redrives or archives at the same time is not counted twice.
      redriven.push(...batch.filter((_, index) => done[index]));
    }
    return redriven;
  }

  private refuseStopped(entries: readonly Entry[]): void {
    for (const name of new Set(entries.map(({ consumer }) => consumer))) {
      const { state } = this.runtime.consumer(name)!.status();
      if (state === 'failed' || state === 'stopped') throw conflict(`${name} has stopped`, 'consumer-stopped');
    }
  }
}

function itemOf({ consumer, parked }: Entry): ParkedItem {
  return parkedItem(consumer, parked);
}

function compare(a: PageEnd, b: PageEnd): number {
  if (a.position !== b.position) return a.position < b.position ? -1 : 1;
  return a.consumer < b.consumer ? -1 : Number(a.consumer > b.consumer);
}
