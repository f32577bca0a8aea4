import { randomUUID } from 'node:crypto';
import type Database from 'libsql';
import { keyOf } from '#libs/kernel';
import {
  maxRevision,
  metadataOf,
  metadataPrefix,
  metadataType,
  tombstoneType,
  type StreamMetadata,
} from '#libs/store/port';
import { BatchReader, type EncodedEvent } from './codec.js';
import { isUniqueViolation } from './failure.js';
import { Heads, type Head } from './heads.js';
import {
  actionAppend,
  actionTombstone,
  expectedAny,
  expectedNoStream,
  expectedStreamExists,
  idempotenceWindow,
  outcomeWidth,
  Status,
  type BatchReply,
  type BatchRequest,
  type OwnRecord,
} from './messages.js';
import { Names, type Category } from './names.js';
import { isSoftDeleted, metadataJson, Retentions } from './retention.js';

const headCapacity = 50_000;

interface Outcome {
  readonly status: Status;
  /** Last revision of the events given; of the stream when the expected revision was wrong. */
  readonly revision: number;
  readonly position: number;
}

/** Answers appends as EventStoreDB does; docs/event-store.md has the table. */
export class Appender {
  readonly #database: Database.Database;
  readonly #names: Names;
  readonly #retentions: Retentions;
  readonly #heads = new Heads(headCapacity);
  readonly #insert: Database.Statement;
  readonly #lastRevisions: Database.Statement;
  readonly #eventAt: Database.Statement;
  readonly #recent: Database.Statement;
  readonly #lastPosition: Database.Statement;
  #position = 0;
  #created = 0;
  #own: OwnRecord[] = [];
  /** The last transaction was rolled back, and what is known in memory may not be so. */
  #stale = false;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#names = new Names(database);
    this.#retentions = new Retentions(database);
    this.#insert = database.prepare(
      'INSERT INTO events (position, category, key, revision, event_id, type, created, data, causation, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#lastRevisions = database
      .prepare('SELECT revision FROM events WHERE category = ? AND key = ? ORDER BY revision DESC LIMIT 2')
      .raw();
    this.#eventAt = database
      .prepare('SELECT event_id, position FROM events WHERE category = ? AND key = ? AND revision = ?')
      .raw();
    this.#recent = database
      .prepare(
        'SELECT revision, position FROM events WHERE category = ? AND key = ? AND revision > ? AND event_id = ? ORDER BY revision DESC LIMIT 1',
      )
      .raw();
    this.#lastPosition = database.prepare('SELECT max(position) FROM events').raw();
    this.#reload();
  }

  /** Position of the last record. */
  get position(): number {
    return this.#position;
  }

  /** Writes a batch in one transaction. Whatever it throws, nothing of the batch was written. */
  run(batch: BatchRequest): BatchReply {
    if (this.#stale) this.#reload();
    this.#created = batch.created;
    this.#own = [];
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const outcomes = this.#entries(batch);
      this.#database.exec('COMMIT');
      return { outcomes, own: this.#own };
    } catch (thrown) {
      this.#stale = true;
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
      throw thrown;
    }
  }

  #reload(): void {
    this.#names.reload();
    this.#heads.clear();
    const [position] = this.#lastPosition.get([]) as [number | null];
    this.#position = position ?? 0;
    this.#stale = false;
  }

  #entries(batch: BatchRequest): Float64Array {
    const reader = new BatchReader(batch);
    const outcomes = new Float64Array(batch.streams.length * outcomeWidth);
    let failedGroup = -1;
    for (const [index, stream] of batch.streams.entries()) {
      const action = reader.number();
      const group = reader.number();
      const expected = reader.number();
      const count = reader.number();
      const events = reader.events(count);
      const id = action === actionAppend ? '' : reader.id();
      let outcome: Outcome;
      if (group === failedGroup) outcome = { status: Status.Skipped, revision: 0, position: 0 };
      else if (action === actionAppend) outcome = this.#append(stream, expected, events);
      else outcome = this.#delete(stream, expected, id, action === actionTombstone);
      if (outcome.status > Status.Idempotent) failedGroup = group;
      outcomes.set([outcome.status, outcome.revision, outcome.position], index * outcomeWidth);
    }
    return outcomes;
  }

  #append(stream: string, expected: number, events: readonly EncodedEvent[]): Outcome {
    const category = this.#names.category(stream);
    const key = keyOf(stream);
    const ordinary = !category.managed && !stream.startsWith(metadataPrefix);
    if (ordinary && expected === expectedNoStream && this.#heads.get(stream) === undefined) {
      // Without metadata or tombstones in its category, a stream that exists has a revision 0: the index will tell.
      if (this.#tryFirst(category, key, events)) {
        this.#heads.set(stream, { revision: events.length - 1, softDeleted: false, tombstoned: false });
        return { status: Status.Appended, revision: events.length - 1, position: this.#position };
      }
    }
    const head = this.#head(stream, category, key);
    if (stream.startsWith(metadataPrefix) && this.#isTombstoned(stream.slice(metadataPrefix.length))) {
      return { status: Status.StreamDeleted, revision: 0, position: 0 };
    }
    const repeated = this.#answer(category, key, head, expected, events);
    if (repeated !== undefined) return repeated;

    const first = head.revision + 1;
    this.#insertAll(category, key, first, events);
    head.revision += events.length;
    const outcome = { status: Status.Appended, revision: head.revision, position: this.#position };
    if (head.softDeleted) this.#makeVisible(stream, category, key, head, first);
    if (stream.startsWith(metadataPrefix)) this.#applyMetadata(stream.slice(metadataPrefix.length), events.at(-1)!);
    return outcome;
  }

  /** The append table: undefined where the events are to be appended after the head. */
  #answer(
    category: Category,
    key: string,
    head: Head,
    expected: number,
    events: readonly EncodedEvent[],
  ): Outcome | undefined {
    if (head.tombstoned) return { status: Status.StreamDeleted, revision: 0, position: 0 };
    if (expected === expectedStreamExists && !this.#exists(category, key, head)) return wrongRevision(head);
    if (expected === expectedAny || expected === expectedStreamExists)
      return this.#amongRecent(category, key, head, events);
    if (expected === head.revision) return undefined;
    if (expected > head.revision) return wrongRevision(head);

    let last: { id: string; position: number } | undefined;
    for (const [index, event] of events.entries()) {
      const standing = this.#at(category, key, expected + 1 + index);
      if (standing?.id === event.id) {
        last = standing;
        continue;
      }
      if (index > 0) return { status: Status.CorruptedIdempotency, revision: 0, position: 0 };
      return head.softDeleted && expected === expectedNoStream ? undefined : wrongRevision(head);
    }
    return { status: Status.Idempotent, revision: expected + events.length, position: last!.position };
  }

  /** Metadata alone makes a stream exist; a soft delete ends that. */
  #exists(category: Category, key: string, head: Head): boolean {
    if (head.softDeleted) return false;
    return head.revision >= 0 || (category.managed && this.#retentions.get(category.id, key) !== undefined);
  }

  #amongRecent(category: Category, key: string, head: Head, events: readonly EncodedEvent[]): Outcome | undefined {
    if (head.revision < 0) return undefined;
    let found: [number, number] | undefined;
    for (const event of events) {
      found = this.#recent.get([category.id, key, head.revision - idempotenceWindow, event.id]) as typeof found;
      if (found === undefined) return undefined;
    }
    return { status: Status.Idempotent, revision: found![0], position: found![1] };
  }

  #at(category: Category, key: string, revision: number): { id: string; position: number } | undefined {
    const row = this.#eventAt.get([category.id, key, revision]) as [string, number] | undefined;
    return row && { id: row[0], position: row[1] };
  }

  #head(stream: string, category: Category, key: string): Head {
    let head = this.#heads.get(stream);
    if (head === undefined) {
      const revisions = (this.#lastRevisions.all([category.id, key]) as [number][]).map(([revision]) => revision);
      const tombstoned = revisions.length > 0 && !Number.isSafeInteger(revisions[0]);
      const retention = category.managed ? this.#retentions.get(category.id, key) : undefined;
      head = {
        revision: (tombstoned ? revisions[1] : revisions[0]) ?? -1,
        softDeleted: retention !== undefined && isSoftDeleted(retention),
        tombstoned,
      };
      this.#heads.set(stream, head);
    }
    return head;
  }

  #isTombstoned(stream: string): boolean {
    const category = this.#names.category(stream);
    return category.managed && this.#head(stream, category, keyOf(stream)).tombstoned;
  }

  /** Inserts a new stream's events; false, with nothing written, where the stream exists already. */
  #tryFirst(category: Category, key: string, events: readonly EncodedEvent[]): boolean {
    try {
      this.#insertOne(category, key, 0, events[0]!);
    } catch (thrown) {
      // SQLite takes back the one statement only, the transaction goes on.
      if (isUniqueViolation(thrown)) return false;
      throw thrown;
    }
    for (let index = 1; index < events.length; index += 1) this.#insertOne(category, key, index, events[index]!);
    return true;
  }

  #insertAll(category: Category, key: string, first: number, events: readonly EncodedEvent[]): void {
    for (const [index, event] of events.entries()) this.#insertOne(category, key, first + index, event);
  }

  #insertOne(category: Category, key: string, revision: number | bigint, event: EncodedEvent): void {
    this.#insert.run([
      this.#position + 1,
      category.id,
      key,
      revision,
      event.id,
      this.#names.type(event.type),
      this.#created,
      event.data,
      event.causation,
      event.metadata,
    ]);
    this.#position += 1;
  }

  #delete(stream: string, expected: number, id: string, forEver: boolean): Outcome {
    const category = this.#names.category(stream);
    const key = keyOf(stream);
    const head = this.#head(stream, category, key);
    if (head.tombstoned) return { status: Status.StreamDeleted, revision: 0, position: 0 };
    const asExpected =
      expected === expectedAny ||
      expected === head.revision ||
      (expected === expectedStreamExists && this.#exists(category, key, head));
    if (!asExpected) return wrongRevision(head);
    if (forEver) {
      this.#writeOwn(stream, maxRevision, { id, type: tombstoneType, data: '{}', causation: null, metadata: null });
      this.#names.manage(category);
      this.#retentions.set(category.id, key, {}, true);
    } else {
      this.#writeMetadata(stream, id, { ...this.#metadata(category, key), truncateBefore: maxRevision });
    }
    this.#heads.delete(stream);
    return { status: Status.Appended, revision: head.revision, position: this.#position };
  }

  #makeVisible(stream: string, category: Category, key: string, head: Head, from: number): void {
    this.#writeMetadata(stream, randomUUID(), { ...this.#metadata(category, key), truncateBefore: BigInt(from) });
    head.softDeleted = false;
  }

  #metadata(category: Category, key: string): StreamMetadata {
    const retention = this.#retentions.get(category.id, key);
    return {
      ...(retention?.maxCount ? { maxCount: retention.maxCount } : {}),
      ...(retention?.maxAge ? { maxAge: retention.maxAge } : {}),
      ...(retention?.truncateBefore ? { truncateBefore: retention.truncateBefore } : {}),
    };
  }

  #writeMetadata(stream: string, id: string, metadata: StreamMetadata): void {
    const name = metadataPrefix + stream;
    const head = this.#head(name, this.#names.category(name), keyOf(name));
    const event = { id, type: metadataType, data: metadataJson(metadata), causation: null, metadata: null };
    head.revision += 1;
    this.#writeOwn(name, BigInt(head.revision), event);
    this.#setRetention(stream, metadata);
  }

  #applyMetadata(stream: string, event: EncodedEvent): void {
    if (event.type !== metadataType) return;
    this.#setRetention(stream, metadataOf(JSON.parse(event.data)));
    this.#heads.delete(stream);
  }

  #setRetention(stream: string, metadata: StreamMetadata): void {
    const category = this.#names.category(stream);
    this.#names.manage(category);
    this.#retentions.set(category.id, keyOf(stream), metadata, false);
  }

  /** Writes a record that only the writer knows of, so that the answer has to carry it. */
  #writeOwn(stream: string, revision: bigint, event: EncodedEvent): void {
    this.#insertOne(this.#names.category(stream), keyOf(stream), revision, event);
    this.#own.push({ id: event.id, stream, type: event.type, revision, position: this.#position, data: event.data });
  }
}

function wrongRevision(head: Head): Outcome {
  return { status: Status.WrongExpectedRevision, revision: head.revision, position: 0 };
}
