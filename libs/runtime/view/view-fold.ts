import type { RecordedEvent, StreamDefinition } from '#libs/kernel';

/**
 * How the views of a projector follow from the records that it is handed, for building them anew. Pure, and the same that
 * the projector makes of them.
 */
export interface ViewFold {
  /** One that the projector writes. */
  readonly view: StreamDefinition;
  /** Stored type name of its records. */
  readonly type: string;
  /** Key of the view that the record may change; undefined: none. Of the record's data it may rely on nothing. */
  keyOf(record: RecordedEvent): string | undefined;
  /** True where there is no view before this record. */
  begins(record: RecordedEvent): boolean;
  /**
   * The view after more records, in their order; undefined where there is none. What it shows already changes nothing.
   * `position` is that of the last record that it shows.
   */
  fold(view: never, records: never): { readonly position: string } | undefined;
}
