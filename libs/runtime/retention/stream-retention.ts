import type { StreamDefinition } from '#libs/kernel';
import type { StreamReader } from '../topology/access.js';

/** The first records of a stream that nobody needs once all consumers are done with what follows from them. */
export interface Expendable {
  readonly key: string;
  /** The first revision that stays. */
  readonly before: bigint;
  /** Every consumer of the stream has to be done with all records up to this position, its own retries included. */
  readonly after: bigint;
}

/** What of a stream is not kept for ever: never by age, only what nobody needs any more. */
export interface StreamRetention<Readable extends StreamDefinition = StreamDefinition> {
  /** For people: until when something is kept. */
  readonly until: string;
  readonly looksUp: readonly Readable[];
  /** What of the streams of the category could go. */
  expendable(reader: StreamReader<Readable>): Promise<readonly Expendable[]>;
}
