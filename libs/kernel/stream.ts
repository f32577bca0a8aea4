import type { Message } from './decider.js';
import type { RecordedEvent } from './envelope.js';
import { InvalidRecord } from './errors.js';

/** The boxes of the flow, and the kinds of the runtime's own bookkeeping beside it. */
export type StreamKind =
  | 'clientOperation'
  | 'internalOperation'
  | 'operation'
  | 'saga'
  | 'event'
  | 'view'
  | 'snapshot'
  | 'checkpoint'
  | 'retry'
  | 'parked'
  | 'control'
  | 'installation'
  | 'timer'
  | 'agenda';

/** Says what is wrong with the data of a record, one line a problem; empty when it is valid. */
export interface Schema<Data> {
  problems(data: unknown): readonly string[];
  /** The same as a JSON Schema, as far as one can say it, for documents; absent: nothing is told. */
  jsonSchema?(): object;
  /** Carries the type only. */
  readonly data?: Data;
}

type Schemas = Readonly<Record<string, Schema<unknown>>>;

/** A category of streams: what may stand in it, by stored type name. */
export interface StreamDefinition<Category extends string = string, Contents extends Schemas = Schemas> {
  /** `<subsystem>.<kind>`, for views with a version: `notification.view.1`. */
  readonly category: Category;
  readonly subsystem: string;
  readonly kind: StreamKind;
  readonly contents: Contents;
}

type DataOf<S> = S extends Schema<infer Data> ? Data : never;

/** The messages of a stream, a union discriminated by `type`. */
export type MessageOf<Stream extends StreamDefinition> = Stream extends StreamDefinition
  ? {
      [Type in keyof Stream['contents'] & string]: Message<Type, DataOf<Stream['contents'][Type]>>;
    }[keyof Stream['contents'] & string]
  : never;

/** The records of a stream, a union discriminated by `type`. */
export type RecordOf<Stream extends StreamDefinition> = Stream extends StreamDefinition
  ? {
      [Type in keyof Stream['contents'] & string]: RecordedEvent<Type, DataOf<Stream['contents'][Type]>>;
    }[keyof Stream['contents'] & string]
  : never;

/** Declares a category of streams. A view category carries a version, so that a rebuild writes beside the live one. */
export function defineStream<
  const Subsystem extends string,
  const Kind extends StreamKind,
  const Contents extends Schemas,
>(subsystem: Subsystem, kind: Kind, contents: Contents): StreamDefinition<`${Subsystem}.${Kind}`, Contents>;
export function defineStream<
  const Subsystem extends string,
  const Kind extends 'view',
  const Version extends number,
  const Contents extends Schemas,
>(
  subsystem: Subsystem,
  kind: Kind,
  contents: Contents,
  version: Version,
): StreamDefinition<`${Subsystem}.${Kind}.${Version}`, Contents>;
export function defineStream(
  subsystem: string,
  kind: StreamKind,
  contents: Schemas,
  version?: number,
): StreamDefinition {
  const category = version === undefined ? `${subsystem}.${kind}` : `${subsystem}.${kind}.${version}`;
  return { category, subsystem, kind, contents };
}

/** The name of one stream of a category. */
export function streamName(stream: StreamDefinition, key: string): string {
  return `${stream.category}-${key}`;
}

/** The record with its type known; throws `InvalidRecord` where it does not fit the definition. */
export function parse<Stream extends StreamDefinition>(stream: Stream, record: RecordedEvent): RecordOf<Stream> {
  const schema = Object.hasOwn(stream.contents, record.type) ? stream.contents[record.type] : undefined;
  if (schema === undefined) {
    const known = Object.keys(stream.contents).join(', ');
    throw new InvalidRecord(record, [`unknown type; ${stream.category} holds ${known}`]);
  }
  if (!record.checked) {
    const problems = schema.problems(record.data);
    if (problems.length > 0) throw new InvalidRecord(record, problems);
    // Records are shared objects: one that goes through several handlers is checked once.
    record.checked = true;
  }
  return record as RecordOf<Stream>;
}
