import { notFound } from '#libs/http';
import type { ArchivedRecord, Oversight, ParkedAt, ParkedRecordsKnown, RecordParked } from '#libs/runtime';
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
  /** Parked records that no page has, since there are so many. */
  readonly omitted: number;
}

export interface Redriven {
  readonly count: number;
  /** At most 1,000 of them. */
  readonly ids: readonly string[];
  /** Asked for durably, and not done yet by the processes that have them; only where there are such. */
  readonly pending?: number;
}

export interface Archived {
  readonly item: ParkedItem;
  /** Asked for durably, and not done yet by the process that has it. */
  readonly isPending: boolean;
}

/** A parked or archived record, with its place in the list. */
interface Entry extends PageEnd {
  readonly parked: RecordParked | ArchivedRecord;
}

const mostIds = 1_000;

/** The parked records of all consumers, in the order in which the records were appended. */
export class ParkedRecords {
  constructor(private readonly oversight: Oversight) {}

  async page(state: ParkedState, filter: ParkedFilter, limit: number, after: PageEnd | undefined): Promise<Page> {
    const known = await this.oversight.parked();
    const all = entriesOf(known, state, filter);
    const rest = after === undefined ? all : all.filter((entry) => compare(entry, after) > 0);
    const entries = rest.slice(0, limit);
    const { omitted } = known;
    return { items: entries.map(itemOf), end: rest.length > limit ? entries.at(-1) : undefined, omitted };
  }

  /** Parked or archived. @throws Problem 404 */
  async find(id: string): Promise<ParkedItem> {
    return itemOf(await this.entry(id));
  }

  /** Hands the parked records out again; a dry run only tells which. @throws Refused where their consumer has stopped */
  async redrive(filter: ParkedFilter, dryRun: boolean): Promise<Redriven> {
    const entries = entriesOf(await this.oversight.parked(), 'parked', filter);
    const { done, pending }: { done: readonly ParkedAt[]; pending: readonly ParkedAt[] } = dryRun
      ? { done: entries, pending: [] }
      : await this.oversight.release('redrive', entries);
    const ids = done.slice(0, mostIds).map(({ consumer, parked }) => parkedId(consumer, parked.record));
    return { count: done.length, ids, ...(pending.length > 0 && { pending: pending.length }) };
  }

  /** Gives it up for good. Repeated, it answers the same. @throws Problem 404; Refused where its consumer has stopped */
  async archive(id: string): Promise<Archived> {
    const entry = await this.entry(id);
    const isArchived = 'archivedAt' in entry.parked;
    const { pending } = isArchived ? { pending: [] } : await this.oversight.release('archive', [entry]);
    // Redriven at the same time, it is neither parked nor archived now.
    return { item: await this.find(id), isPending: pending.length > 0 };
  }

  private async entry(id: string): Promise<Entry> {
    const known = await this.oversight.parked();
    const [entry] = [...entriesOf(known, 'parked', { ids: [id] }), ...entriesOf(known, 'archived', { ids: [id] })];
    if (entry === undefined) throw notFound('no consumer has parked such a record');
    return entry;
  }
}

function entriesOf(known: ParkedRecordsKnown, state: ParkedState, filter: ParkedFilter): readonly Entry[] {
  const matches = matcherOf(filter);
  const listed: readonly ParkedAt[] = state === 'parked' ? known.list() : known.listArchived();
  return listed
    .filter(({ consumer, parked }) => matches(consumer, parked))
    .map((one) => ({ ...one, position: BigInt(one.parked.record.position) }))
    .sort(compare);
}

function itemOf({ consumer, parked }: Entry): ParkedItem {
  return parkedItem(consumer, parked);
}

function compare(a: PageEnd, b: PageEnd): number {
  if (a.position !== b.position) return a.position < b.position ? -1 : 1;
  return a.consumer < b.consumer ? -1 : Number(a.consumer > b.consumer);
}
