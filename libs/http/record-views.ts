import { declaredCategoryOf, InvalidRecord, parse, type RecordedEvent, type StreamDefinition } from '#libs/kernel';
import { bookkeepingStreams, type Topology } from '#libs/runtime';
import type { Vault } from '#libs/vault';
import { recordView, type RecordView } from './record-view.js';

/** Shows records of all streams there are, whether or not they can be read. */
export class RecordViews {
  private readonly streams: ReadonlyMap<string, StreamDefinition>;

  constructor(
    private readonly vault: Vault,
    topology: Topology<never>,
  ) {
    this.streams = new Map(streamsOf(topology).map((stream) => [stream.category, stream]));
  }

  of(record: RecordedEvent): Promise<RecordView> {
    return recordView(this.vault, record, this.reasonNotToRead(record));
  }

  private reasonNotToRead(record: RecordedEvent): string | undefined {
    const stream = this.streams.get(declaredCategoryOf(record.stream));
    if (stream === undefined) return 'unknown category';
    try {
      parse(stream, record);
      return undefined;
    } catch (error) {
      if (!(error instanceof InvalidRecord)) throw error;
      return error.problems.join('; ');
    }
  }
}

/** Every stream there is: those of the topology, and the consumers' own. */
export function streamsOf({ streams }: Topology<never>): readonly StreamDefinition[] {
  return [...streams.map(({ stream }) => stream), ...bookkeepingStreams];
}
