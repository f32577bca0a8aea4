import { fold, type RecordOf } from '#libs/kernel';
import type { Loaded, StreamReader } from '#libs/runtime';
import { escalation, escalationEvents, team, type EscalationState } from './escalation.js';

type Reader = StreamReader<typeof escalationEvents>;
type EscalationRecord = RecordOf<typeof escalationEvents>;

const recordsARead = 20;

/** The state as of now, folded from the last decision on: the stream is never read as a whole. */
export async function loadEscalation(reader: Reader): Promise<Loaded<EscalationState>> {
  const tail: EscalationRecord[] = [];
  for await (const record of backwards(reader)) {
    tail.push(record);
    if (record.type === 'escalation.decided.v1') break;
  }
  return { state: fold(escalation, tail.reverse()), revision: tail.at(-1)?.revision ?? 'noStream' };
}

/**
 * Which failures have been gathered, for operations that are handed out again. It reads back as far as it is asked for:
 * an operation stands in the first page that reached its position, or in a later one. Good until a page is written.
 */
export class GatheredBefore {
  private readonly ids = new Set<string>();
  private readonly records: AsyncGenerator<EscalationRecord>;
  /** Every page that reached beyond this position has been read. */
  private floor: bigint | undefined;

  constructor(reader: Reader) {
    this.records = backwards(reader);
  }

  /** @param position of the internal operation */
  async has(notificationId: string, position: bigint): Promise<boolean> {
    while (this.floor === undefined || this.floor >= position) {
      const next = await this.records.next();
      if (next.done) {
        this.floor = -1n;
        break;
      }
      const { type, data } = next.value;
      this.floor = BigInt(data.upTo);
      if (type !== 'escalation.failures-gathered.v1') continue;
      for (const failure of data.failures) this.ids.add(failure.notificationId);
    }
    return this.ids.has(notificationId);
  }
}

/** All records, the last one first. */
export async function* backwards(reader: Reader): AsyncGenerator<EscalationRecord> {
  for (let from: bigint | undefined; from === undefined || from >= 0n;) {
    const records: readonly EscalationRecord[] = await reader.read(escalationEvents, team, {
      direction: 'backwards',
      limit: recordsARead,
      ...(from !== undefined && { from }),
    });
    yield* records;
    if (records.length < recordsARead) return;
    from = records.at(-1)!.revision - 1n;
  }
}
