import type { RecordedEvent } from '#libs/kernel';
import { maxRevision, type EventStore, type StreamMetadata } from '#libs/store/port';
import type { Standing } from './standing.js';

const atOnce = 64;

/** Gives the streams of the target the metadata they have in the source. */
export class MetadataCopy {
  private readonly underWay = new Set<Promise<void>>();
  private failure: Error | undefined;

  constructor(
    private readonly source: EventStore,
    private readonly target: EventStore,
    private readonly shifts: Standing['shifts'],
  ) {}

  /** Copies the metadata of the stream if the record is its first one. Resolves when there is room for another. */
  async of({ stream, revision }: RecordedEvent): Promise<void> {
    if (revision !== (this.shifts.get(stream) ?? 0n)) return;
    const copying = this.copy(stream).then(
      () => void this.underWay.delete(copying),
      (error: Error) => {
        this.failure ??= error;
        this.underWay.delete(copying);
      },
    );
    this.underWay.add(copying);
    if (this.underWay.size >= atOnce) await Promise.race(this.underWay);
    if (this.failure !== undefined) throw this.failure;
  }

  /** Resolves when all is done. */
  async done(): Promise<void> {
    await Promise.all(this.underWay);
    if (this.failure !== undefined) throw this.failure;
  }

  private async copy(stream: string): Promise<void> {
    const wanted = shifted(await this.source.getStreamMetadata(stream), this.shifts.get(stream) ?? 0n);
    if (Object.keys(wanted).length === 0) return;
    if (!isSame(wanted, await this.target.getStreamMetadata(stream)))
      await this.target.setStreamMetadata(stream, wanted);
  }
}

function shifted(metadata: StreamMetadata, by: bigint): StreamMetadata {
  const { truncateBefore, ...rest } = metadata;
  if (truncateBefore === undefined || truncateBefore === maxRevision) return metadata;
  return truncateBefore > by ? { ...rest, truncateBefore: truncateBefore - by } : rest;
}

function isSame(one: StreamMetadata, other: StreamMetadata): boolean {
  return one.maxCount === other.maxCount && one.maxAge === other.maxAge && one.truncateBefore === other.truncateBefore;
}
