import type { MessageOf, RecordedEvent, StreamDefinition } from '#libs/kernel';
import { CorruptedIdempotency, WrongExpectedRevision, type EventStore } from '#libs/store/port';
import { RecordContext, StreamAccess, type Grant, type KnownRevision } from '../topology/access.js';
import type { ViewFold } from './view-fold.js';
import { fixedVersion } from './view-names.js';

/** Views that are kept in memory; with more, those that have changed least lately are written and forgotten. */
const mostRemembered = 4_000;
const writtenAtOnce = 200;
const readAtOnce = 50;

interface Shown {
  readonly position: string;
}

interface Rebuilt {
  readonly data: Shown;
  /** The last record that it shows. */
  readonly cause: RecordedEvent | undefined;
  readonly revision: KnownRevision;
  /** What the stream shows; undefined: there is none. */
  readonly written: bigint | undefined;
}

/** The views of a version that is being built. What is not written yet is in memory, and there is never much of it. */
export class RebuiltViews {
  private readonly known = new Map<string, Rebuilt>();
  private readonly access: StreamAccess;
  private readonly signal = new AbortController().signal;

  constructor(
    store: EventStore,
    grant: Grant,
    private readonly fold: ViewFold,
    version: number,
  ) {
    this.access = new StreamAccess(store, grant, fixedVersion(version));
  }

  /** Takes in records of some views, each with its own in order. May be repeated. @throws StoreUnavailable */
  async take(records: ReadonlyMap<string, readonly RecordedEvent[]>): Promise<void> {
    await this.recall([...records].filter(([key, [first]]) => !this.known.has(key) && !this.fold.begins(first!)));
    for (const [key, ofKey] of records) {
      const before = this.known.get(key);
      const data = (this.fold.fold as (view: unknown, records: unknown) => Shown | undefined)(before?.data, ofKey);
      if (data === undefined) continue;
      // The one that changed last comes last.
      this.known.delete(key);
      const { cause, revision, written } = before ?? {
        cause: undefined,
        revision: 'noStream' as const,
        written: undefined,
      };
      this.known.set(key, { data, cause: data === before?.data ? cause : ofKey.at(-1), revision, written });
    }
    while (this.known.size > mostRemembered) await this.write(writtenAtOnce, true);
  }

  /** Writes all that is not written. @throws StoreUnavailable */
  async flush(): Promise<void> {
    await this.write(Infinity, false);
  }

  private async recall(missing: readonly (readonly [string, unknown])[]): Promise<void> {
    for (let from = 0; from < missing.length; from += readAtOnce) {
      const keys = missing.slice(from, from + readAtOnce).map(([key]) => key);
      const found = await Promise.all(keys.map((key) => this.standing(key)));
      for (const [index, rebuilt] of found.entries()) if (rebuilt !== undefined) this.known.set(keys[index]!, rebuilt);
    }
  }

  private async standing(key: string): Promise<Rebuilt | undefined> {
    const last = await this.access.last(this.fold.view, key);
    if (last === undefined) return undefined;
    const data = last.data as Shown;
    return { data, cause: undefined, revision: last.revision, written: BigInt(data.position) };
  }

  /** @param most so many views, those that have changed least lately first */
  private async write(most: number, forget: boolean): Promise<void> {
    const chosen = [...this.known].slice(0, most);
    const unwritten = chosen.filter(
      ([, { data, written }]) => written === undefined || BigInt(data.position) > written,
    );
    for (let from = 0; from < unwritten.length; from += writtenAtOnce) {
      await this.append(unwritten.slice(from, from + writtenAtOnce));
    }
    if (forget) for (const [key] of chosen) this.known.delete(key);
  }

  private async append(views: readonly (readonly [string, Rebuilt])[]): Promise<void> {
    let left = [...views];
    while (left.length > 0) {
      const appends = left.map(([key, rebuilt]) => this.appendOf(key, rebuilt));
      try {
        const results = await this.access.appendAll(appends);
        for (const [index, [key, rebuilt]] of left.entries()) this.isWritten(key, rebuilt, results[index]!.revision);
        return;
      } catch (error) {
        if (!(error instanceof WrongExpectedRevision) && !(error instanceof CorruptedIdempotency)) throw error;
        // Those before it stand. It was written before, and the answer was lost.
        left = left.slice(appends.findIndex(({ stream }) => stream === error.stream));
        const [key, rebuilt] = left.shift()!;
        const standing = (await this.standing(key))!;
        if (standing.written! >= BigInt(rebuilt.data.position))
          this.known.set(key, { ...standing, cause: rebuilt.cause });
        else left.unshift([key, { ...rebuilt, revision: standing.revision }]);
      }
    }
  }

  private appendOf(key: string, { data, cause, revision }: Rebuilt) {
    const context = new RecordContext(this.access, cause!, key, this.signal, Date.now);
    const message = { type: this.fold.type, data } as unknown as MessageOf<StreamDefinition>;
    return context.write(this.fold.view, key, revision, [message], 'fresh');
  }

  private isWritten(key: string, rebuilt: Rebuilt, revision: bigint): void {
    this.known.set(key, { ...rebuilt, revision, written: BigInt(rebuilt.data.position) });
  }
}
