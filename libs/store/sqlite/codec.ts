import { keyOf, type Metadata, type RecordedEvent } from '#libs/kernel';
import {
  AppendTooLarge,
  checkEvent,
  checkTarget,
  createdOf,
  maxAppendBytes,
  maxRevision,
  unstorable,
  type ExpectedRevision,
  type NewEvent,
} from '#libs/store/port';
import {
  actionAppend,
  expectedAny,
  expectedNoStream,
  expectedStreamExists,
  type BatchRequest,
  type PageRow,
} from './messages.js';

const idLength = 36;
/** Characters of implied metadata beside the two ids. */
const impliedOverhead = JSON.stringify(impliedMetadata('', '')).length;

/** An entry of a batch: an append with its JSON made, or a deletion. */
export interface Entry {
  readonly action: number;
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly NewEvent[];
  /** For each event id, type, data, causation and metadata; for a deletion the id of the record that tells of it. */
  readonly texts: readonly string[];
  /** Characters of all texts. */
  readonly length: number;
}

/** Checks an append and makes its JSON. @throws TypeError, AppendTooLarge */
export function encodeAppend(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Entry {
  checkTarget(stream, expected);
  if (events.length === 0) throw new TypeError(`${stream}: an append needs at least one event`);
  const key = keyOf(stream);
  const texts: string[] = [];
  let payload = 0;
  let types = 0;
  for (const event of events) {
    const data = checkEvent(stream, event);
    const causation = impliedCausation(key, event.metadata);
    const metadata = causation === '' ? metadataText(event.metadata) : '';
    texts.push(event.id, event.type, data, causation, metadata);
    payload += data.length + metadata.length + (causation === '' ? 0 : causation.length + key.length + impliedOverhead);
    types += event.type.length;
  }
  if (payload * 3 + types * 2 > maxAppendBytes) checkSize(stream, texts);
  return { action: actionAppend, stream, expected, events, texts, length: idLength * events.length + types + payload };
}

/** A soft delete or a tombstone. */
export function encodeDeletion(action: number, stream: string, expected: ExpectedRevision, id: string): Entry {
  checkTarget(stream, expected);
  return { action, stream, expected, events: [], texts: [id], length: idLength };
}

/** The bytes that count are those of data and metadata, as the writer gave them, and of types: see `maxAppendBytes`. */
function checkSize(stream: string, texts: readonly string[]): void {
  let bytes = 0;
  for (let index = 0; index < texts.length; index += 5) {
    bytes += Buffer.byteLength(texts[index + 2]!) + 2 * texts[index + 1]!.length;
    const causation = texts[index + 3]!;
    bytes += Buffer.byteLength(
      causation === '' ? texts[index + 4]! : JSON.stringify(impliedMetadata(keyOf(stream), causation)),
    );
  }
  if (bytes > maxAppendBytes) throw new AppendTooLarge(stream, bytes, maxAppendBytes);
}

/**
 * Nearly every record's metadata says only that its flow is its stream's key, and what caused it: then the cause is
 * stored and nothing else. Empty where the metadata says anything more or less.
 */
function impliedCausation(key: string, metadata: Metadata | undefined): string {
  if (metadata === undefined || metadata.$correlationId !== key) return '';
  const causation = metadata.$causationId;
  if (typeof causation !== 'string' || unstorable.test(causation)) return '';
  return Object.keys(metadata).length === 2 ? causation : '';
}

function impliedMetadata(key: string, causation: string): Metadata {
  return { $correlationId: key, $causationId: causation };
}

function metadataText(metadata: Metadata | undefined): string {
  if (metadata === undefined) return '';
  const text = JSON.stringify(metadata);
  return text === '{}' ? '' : text;
}

function expectedNumber(expected: ExpectedRevision): number {
  if (expected === 'noStream') return expectedNoStream;
  if (expected === 'any') return expectedAny;
  if (expected === 'streamExists') return expectedStreamExists;
  return Math.min(Number(expected), Number.MAX_SAFE_INTEGER);
}

/**
 * Puts entries into one message. Numbers for each entry: action, group, expected revision, events; then for each
 * event the lengths of type, data, causation and metadata.
 */
export class BatchWriter {
  readonly #streams: string[] = [];
  readonly #texts: string[] = [];
  readonly #numbers: number[] = [];

  /** @param group entries of one group that follow each other stop at the first that fails */
  add(entry: Entry, group: number): void {
    this.#streams.push(entry.stream);
    this.#numbers.push(entry.action, group, expectedNumber(entry.expected), entry.events.length);
    const texts = entry.texts;
    for (let index = 0; index < texts.length; index += 1) {
      const text = texts[index]!;
      this.#texts.push(text);
      if (index % 5 !== 0) this.#numbers.push(text.length);
    }
  }

  finish(created: number): BatchRequest {
    return {
      kind: 'batch',
      created,
      streams: this.#streams,
      text: this.#texts.join(''),
      numbers: Float64Array.from(this.#numbers),
    };
  }
}

/** An event as the writer sees it; slices of the batch's text. */
export interface EncodedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly causation: string | null;
  readonly metadata: string | null;
}

/** Takes entries out of a message, in the order they were added. */
export class BatchReader {
  readonly #batch: BatchRequest;
  #number = 0;
  #character = 0;

  constructor(batch: BatchRequest) {
    this.#batch = batch;
  }

  number(): number {
    return this.#batch.numbers[this.#number++]!;
  }

  id(): string {
    return this.#slice(idLength);
  }

  events(count: number): EncodedEvent[] {
    const events: EncodedEvent[] = [];
    for (let index = 0; index < count; index += 1) {
      events.push({
        id: this.id(),
        type: this.#slice(this.number()),
        data: this.#slice(this.number()),
        causation: this.#slice(this.number()) || null,
        metadata: this.#slice(this.number()) || null,
      });
    }
    return events;
  }

  #slice(length: number): string {
    const start = this.#character;
    this.#character = start + length;
    return this.#batch.text.slice(start, this.#character);
  }
}

const noMetadata: Metadata = Object.freeze({});

/** The record of an event that this process appended: its data and metadata are the writer's own objects. */
export function recordOf(
  event: NewEvent,
  stream: string,
  revision: number,
  position: number,
  created: number,
): RecordedEvent {
  const metadata = event.metadata ?? noMetadata;
  return {
    id: event.id,
    type: event.type,
    stream,
    revision: BigInt(revision),
    position: BigInt(position),
    created: createdOf(metadata, created),
    data: event.data,
    metadata,
    checked: event.checked === true,
  };
}

/** SQLite's integers arrive as numbers; only a tombstone's revision is too large for one. */
function toRevision(revision: number): bigint {
  return Number.isSafeInteger(revision) ? BigInt(revision) : maxRevision;
}

/** The record of a row that the reader answered. */
export function recordOfRow(row: PageRow, asked: string | undefined): RecordedEvent {
  const [id, type, named, revision, position, created, data, stored] = row;
  const stream = named ?? asked!;
  const metadata = metadataOfRow(stored, stream);
  return {
    id,
    type,
    stream,
    revision: toRevision(revision),
    position: BigInt(position),
    created: createdOf(metadata, created),
    data,
    metadata,
    checked: false,
  };
}

function metadataOfRow(stored: PageRow[7], stream: string): Metadata {
  if (stored === null) return noMetadata;
  return typeof stored === 'string' ? impliedMetadata(keyOf(stream), stored) : stored;
}
