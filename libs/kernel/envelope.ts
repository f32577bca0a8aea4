/** A value that JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What a record says about itself. The `$` names are EventStoreDB's. */
export interface Metadata {
  /** The id that runs through a whole flow: of the notification, the process, … */
  readonly $correlationId?: string;
  /** Event id of the record that caused this one. */
  readonly $causationId?: string;
  readonly [key: string]: unknown;
}

/** A record as a store gives it back. */
export interface RecordedEvent<Type extends string = string, Data = unknown> {
  /** UUID; unique within its stream only. */
  readonly id: string;
  /** Stored type name, explicit and versioned: `notification.requested.v1`. */
  readonly type: Type;
  /** `<subsystem>.<kind>-<key>`. */
  readonly stream: string;
  /** Place within the stream, from 0. */
  readonly revision: bigint;
  /** Place within the whole store; grows, with gaps. */
  readonly position: bigint;
  /** When the store recorded it, milliseconds since the Unix epoch. */
  readonly created: number;
  /** Shared with every other reader of the same process: never change it. */
  readonly data: Data;
  readonly metadata: Metadata;
  /** True once this process knows that the data fits the type: its own typed writers made it, or it was checked. */
  checked: boolean;
}

/** The text before the first hyphen: the category, as EventStoreDB has it. */
export function categoryOf(stream: string): string {
  const hyphen = stream.indexOf('-');
  return hyphen < 0 ? stream : stream.slice(0, hyphen);
}

/** The text after the first hyphen: the key. Empty for a stream without one. */
export function keyOf(stream: string): string {
  const hyphen = stream.indexOf('-');
  return hyphen < 0 ? '' : stream.slice(hyphen + 1);
}

/** The flow a record belongs to: its correlation id, else the key of its stream. */
export function correlationOf(record: RecordedEvent): string {
  return record.metadata.$correlationId ?? keyOf(record.stream);
}
