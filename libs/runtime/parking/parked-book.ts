import type { RecordOf } from '#libs/kernel';
import { identityOf, type RecordParked, type RecordRef, type runtimeParked } from '../streams.js';

/** A record that was parked and then given up for good. */
export interface ArchivedRecord extends RecordParked {
  /** Milliseconds since the Unix epoch. */
  readonly archivedAt: number;
}

/** A record's key and the id of the event by which it was parked: parked anew, it has another one. */
interface Parking {
  readonly id: string;
  readonly parked: RecordParked;
}

/** What a parked stream says: the records that a consumer has given up. */
export class ParkedBook {
  private readonly records = new Map<string, Parking>();
  private readonly byParking = new Map<string, RecordParked>();
  private readonly archived = new Map<string, ArchivedRecord>();

  get size(): number {
    return this.records.size;
  }

  list(): readonly RecordParked[] {
    return [...this.records.values()].map(({ parked }) => parked);
  }

  listArchived(): readonly ArchivedRecord[] {
    return [...this.archived.values()];
  }

  get archivedSize(): number {
    return this.archived.size;
  }

  isParked(record: Pick<RecordRef, 'stream' | 'id'>): boolean {
    return this.records.size > 0 && this.records.has(identityOf(record));
  }

  isArchived(record: Pick<RecordRef, 'stream' | 'id'>): boolean {
    return this.archived.size > 0 && this.archived.has(identityOf(record));
  }

  /** Id of the event by which it was parked; undefined where it is not parked. */
  parkingOf(record: Pick<RecordRef, 'stream' | 'id'>): string | undefined {
    return this.records.get(identityOf(record))?.id;
  }

  /** The record that was parked by that event, and still is. */
  parkedBy(id: string): RecordParked | undefined {
    return this.byParking.get(id);
  }

  park(id: string, parked: RecordParked): void {
    const identity = identityOf(parked.record);
    const before = this.records.get(identity);
    if (before !== undefined) this.byParking.delete(before.id);
    this.records.set(identity, { id, parked });
    this.byParking.set(id, parked);
  }

  /** Takes it out of the parked ones. @param archivedAt where it is given up for good: milliseconds since the Unix epoch */
  take(record: Pick<RecordRef, 'stream' | 'id'>, archivedAt: number | undefined): RecordParked | undefined {
    const identity = identityOf(record);
    const parking = this.records.get(identity);
    if (parking === undefined) return undefined;
    this.records.delete(identity);
    this.byParking.delete(parking.id);
    if (archivedAt !== undefined) this.archived.set(identity, { ...parking.parked, archivedAt });
    return parking.parked;
  }

  /** Forgets the record that was archived first. */
  forgetArchived(): void {
    const [oldest] = this.archived.keys();
    if (oldest !== undefined) this.archived.delete(oldest);
  }

  apply({ id, type, data, created }: RecordOf<typeof runtimeParked>): void {
    if (type === 'runtime.record-parked.v1') this.park(id, data);
    else if (type !== 'runtime.parked-taken-over.v1') {
      const { stream, recordId } = data;
      const archivedAt = type === 'runtime.record-archived.v1' ? (data.at ?? created) : undefined;
      this.take({ stream, id: recordId }, archivedAt);
    }
  }
}
