import { RecordViews, type RecordView } from '#libs/http';
import type { RecordedEvent } from '#libs/kernel';
import { StoreUnavailable } from '#libs/store/port';
import { matcherOf, storeFilterOf, type AuditFilter } from './audit-filter.js';
import type { AuditServices } from './audit-services.js';

/** Some of the records, in order. */
export interface AuditBatch {
  /** Empty where nothing matched. */
  readonly items: readonly RecordView[];
  /** Everything up to here has been looked at. */
  readonly position: bigint;
}

export interface AuditPage extends AuditBatch {
  /** Whether the store held more when it was asked. */
  readonly more: boolean;
}

export interface LiveBatch extends AuditBatch {
  /** Whether nothing more was there to look at. */
  readonly live: boolean;
}

interface Matching {
  readonly records: readonly RecordedEvent[];
  readonly position: bigint;
  readonly live: boolean;
}

/** Reads the records of all streams in the order in which they happened. */
export class Audit {
  private readonly views: RecordViews;

  /** @param patience after how many milliseconds a page is answered with what was found until then */
  constructor(
    private readonly services: AuditServices,
    private readonly patience = 1_000,
  ) {
    this.views = new RecordViews(services.vault, services.topology);
  }

  /** Position of the store's last record. @throws StoreUnavailable */
  head(): Promise<bigint> {
    return this.services.store.head();
  }

  /**
   * At most `limit` records after the position. It has fewer, perhaps none, where what matches is so rare that it is time
   * to answer.
   */
  async page(filter: AuditFilter, after: bigint, limit: number): Promise<AuditPage> {
    const [head, begun] = [await this.head(), Date.now()];
    const found: RecordedEvent[] = [];
    let position = after;
    if (after < head) {
      for await (const { records, position: reached } of this.matching(filter, after)) {
        const wanted = records.slice(0, limit - found.length);
        found.push(...wanted);
        position = wanted.length < records.length ? wanted.at(-1)!.position : reached;
        if (found.length === limit || position >= head || Date.now() - begun >= this.patience) break;
      }
    }
    return { items: await this.shown(found), position, more: position < head };
  }

  /** The records after one position and up to another. @throws StoreUnavailable where they end before that */
  async *range(filter: AuditFilter, after: bigint, to: bigint, signal: AbortSignal): AsyncGenerator<AuditBatch> {
    if (after >= to) return;
    for await (const { records, position } of this.matching(filter, after, signal)) {
      yield { items: await this.shown(records.filter((record) => record.position <= to)), position };
      if (position >= to) return;
    }
    throw new StoreUnavailable('the records ended before the range did');
  }

  /** The records after the position, and then those that come, until the signal is aborted. */
  async *follow(filter: AuditFilter, after: bigint, signal: AbortSignal): AsyncGenerator<LiveBatch> {
    for await (const { records, position, live } of this.matching(filter, after, signal)) {
      yield { items: await this.shown(records), position, live };
    }
  }

  private async *matching(filter: AuditFilter, after: bigint, signal?: AbortSignal): AsyncGenerator<Matching> {
    const { store, topology } = this.services;
    const matches = matcherOf(filter);
    const options = { after, filter: storeFilterOf(filter, topology), ...(signal && { signal }) };
    for await (const { events, checkpoint, live } of store.subscribeToAll(options)) {
      yield { records: events.filter(matches), position: checkpoint, live };
    }
  }

  private shown(records: readonly RecordedEvent[]): Promise<readonly RecordView[]> {
    return Promise.all(records.map((record) => this.views.of(record)));
  }
}
