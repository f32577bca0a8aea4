import type { Message } from './decider.js';
import { categoryOf, type RecordedEvent } from './envelope.js';
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
  | 'request'
  | 'status'
  | 'member'
  | 'lease'
  | 'installation'
  | 'timer'
  | 'agenda'
  | 'version'
  | 'rebuild';

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
  /**
   * `<subsystem>.<kind>`. Of a view it is what all of its versions have in common: the streams of `notification.view` are
   * `notification.view.1-<key>`, and which version serves is known at run time only.
   */
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

/** Declares a category of streams. */
export function defineStream<
  const Subsystem extends string,
  const Kind extends StreamKind,
  const Contents extends Schemas,
>(subsystem: Subsystem, kind: Kind, contents: Contents): StreamDefinition<`${Subsystem}.${Kind}`, Contents> {
  return { category: `${subsystem}.${kind}`, subsystem, kind, contents };
}

/** True of views: a rebuild writes a version beside the one that serves. */
export function isVersioned({ kind }: StreamDefinition): boolean {
  return kind === 'view';
}

/** The category under which a version's streams stand in the store: `notification.view.2`. */
export function versionCategory({ category }: StreamDefinition, version: number): string {
  return `${category}.${version}`;
}

/** The category by which a stream is declared: of a view without the version. */
export function declaredCategoryOf(stream: string): string {
  return categoryOf(stream).replace(/\.\d+$/, '');
}

/** The name of one stream of a category. @param version of a view, which has no streams without one */
export function streamName(stream: StreamDefinition, key: string, version?: number): string {
  if (isVersioned(stream) !== (version !== undefined)) throw new TypeError(`${stream.category}: which version?`);
  return `${version === undefined ? stream.category : versionCategory(stream, version)}-${key}`;
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
