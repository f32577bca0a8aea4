import type Database from 'libsql';
import { categoryOf, keyOf } from '#libs/kernel';
import { metadataPrefix } from '#libs/store/port';
import type { AllPageRequest, StreamPageRequest } from './messages.js';
import { isSoftDeleted, Retentions, type Retention } from './retention.js';

/** `position, category, key, revision, event_id, type, created, data, causation, metadata` */
export type EventRow = readonly [
  number,
  number,
  string,
  number,
  string,
  number,
  number,
  string,
  string | null,
  string | null,
];

export interface Page {
  readonly rows: readonly EventRow[];
  readonly scanned: number;
  readonly end: boolean;
  readonly deleted: boolean;
}

const columns =
  'e.position, e.category, e.key, e.revision, e.event_id, e.type, e.created, e.data, e.causation, e.metadata';
/** Positions that one query with a condition outside the indexes looks at, so that no query takes long. */
const scanWindow = 10_000;
/** Ranges that one query puts together; beyond, the categories are a condition. */
const maxRanges = 64;
const metadataRetention: Retention = { maxCount: 1, maxAge: null, truncateBefore: null, tombstoned: false };

/** One category, or some of its streams. */
interface Range {
  readonly category: number;
  readonly keyPrefixes: readonly string[];
}

/** The reader's queries. Each runs in a transaction of its own. */
export class Queries {
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();
  readonly #retentions: Retentions;
  readonly #categoryIds = new Map<string, number>();
  readonly #categoryNames = new Map<number, string>();
  readonly #typeIds = new Map<string, number>();
  readonly #typeNames = new Map<number, string>();

  constructor(database: Database.Database) {
    this.#database = database;
    this.#retentions = new Retentions(database);
  }

  categoryName(id: number): string {
    return this.#categoryNames.get(id)!;
  }

  typeName(id: number): string {
    if (!this.#typeNames.has(id)) this.#loadTypes();
    return this.#typeNames.get(id)!;
  }

  streamPage(request: StreamPageRequest): Page {
    const { stream, backwards, limit } = request;
    const category = this.#categoryId(categoryOf(stream));
    const nothing = { rows: [], scanned: request.from, end: true, deleted: false };
    if (category === undefined) return nothing;
    const key = keyOf(stream);
    const retention = stream.startsWith(metadataPrefix) ? metadataRetention : this.#retentions.get(category, key);
    if (retention?.tombstoned) return { ...nothing, deleted: true };
    if (retention !== undefined && isSoftDeleted(retention)) return nothing;
    const [low, after] = retention === undefined ? [0, 0] : this.#visible(category, key, retention, request.now);
    const bounds = backwards ? [low, request.from] : [Math.max(low, request.from), Number.MAX_SAFE_INTEGER];
    const rows = this.#all(
      `SELECT ${columns} FROM events e WHERE category = ? AND key = ? AND revision >= ? AND revision <= ? AND created >= ?
       ORDER BY revision ${backwards ? 'DESC' : 'ASC'} LIMIT ?`,
      [category, key, ...bounds, after, limit],
    );
    return { rows, scanned: rows.at(-1)?.[3] ?? request.from, end: rows.length < limit, deleted: false };
  }

  /** The lowest revision and the earliest time that are still read. */
  #visible(category: number, key: string, retention: Retention, now: number): [number, number] {
    let low = Number(retention.truncateBefore ?? 0n);
    if (retention.maxCount !== null) {
      const [last] = this.#all<[number]>(
        'SELECT revision FROM events WHERE category = ? AND key = ? ORDER BY revision DESC LIMIT 1',
        [category, key],
      );
      if (last !== undefined) low = Math.max(low, last[0] - retention.maxCount + 1);
    }
    return [low, retention.maxAge === null ? 0 : now - retention.maxAge * 1000];
  }

  allPage(request: AllPageRequest): Page {
    this.#loadCategories();
    const { backwards, limit, from } = request;
    const types = request.types === undefined ? undefined : this.#typeIdsOf(request.types);
    const ranges = this.#ranges(request.categories, request.streamPrefixes);
    const nothing = { rows: [], scanned: request.to, end: true, deleted: false };
    if (types?.length === 0 || ranges?.length === 0) return nothing;

    const scans =
      types !== undefined ||
      (ranges !== undefined && (ranges.length > maxRanges || ranges.some((range) => range.keyPrefixes.length > 0)));
    const reach = backwards ? from - scanWindow + 1 : from + scanWindow - 1;
    const to = !scans ? request.to : backwards ? Math.max(reach, request.to) : Math.min(reach, request.to);
    const [low, high] = backwards ? [to, from] : [from, to];
    const rows = this.#select(ranges, types, low, high, backwards, limit);
    const scanned = rows.length < limit ? to : rows.at(-1)![0];
    return { rows, scanned, end: scanned === request.to, deleted: false };
  }

  #select(
    ranges: readonly Range[] | undefined,
    types: readonly number[] | undefined,
    low: number,
    high: number,
    backwards: boolean,
    limit: number,
  ): EventRow[] {
    const order = `ORDER BY position ${backwards ? 'DESC' : 'ASC'}`;
    const typed = types === undefined ? '' : ` AND type IN (${types.join(',')})`;
    const within = `position >= ? AND position <= ?${typed}`;
    if (ranges === undefined || ranges.length > maxRanges) {
      const [condition, values] = ranges === undefined ? this.#notOwn() : anyOf(ranges);
      const sql = `SELECT ${columns} FROM events e WHERE ${within} AND ${condition} ${order} LIMIT ?`;
      return this.#all(sql, [low, high, ...values, limit]);
    }
    if (ranges.length === 1) {
      const [condition, values] = anyOf(ranges);
      const sql = `SELECT ${columns} FROM events e WHERE ${condition} AND ${within} ${order} LIMIT ?`;
      return this.#all(sql, [...values, low, high, limit]);
    }
    // One condition over several categories would make SQLite sort all that is left for every page.
    const branches: string[] = [];
    const values: unknown[] = [];
    for (const range of ranges) {
      const [condition, rangeValues] = anyOf([range]);
      branches.push(`SELECT * FROM (SELECT position FROM events WHERE ${condition} AND ${within} ${order} LIMIT ?)`);
      values.push(...rangeValues, low, high, limit);
    }
    const positions = `SELECT position FROM (${branches.join(' UNION ALL ')}) ${order} LIMIT ?`;
    const rows = this.#all<EventRow>(
      `SELECT ${columns} FROM (${positions}) p CROSS JOIN events e ON e.position = p.position`,
      [...values, limit],
    );
    return rows.sort((one, other) => (backwards ? other[0] - one[0] : one[0] - other[0]));
  }

  /** Leaves out the store's own streams. */
  #notOwn(): [string, unknown[]] {
    const own = [...this.#categoryIds].filter(([name]) => name.startsWith('$')).map(([, id]) => id);
    return [`category NOT IN (${own.join(',')})`, []];
  }

  /** The ranges that categories and prefixes leave; undefined: all there is. */
  #ranges(categories: readonly string[] | undefined, prefixes: readonly string[] | undefined): Range[] | undefined {
    if (categories === undefined && prefixes === undefined) return undefined;
    const ranges: Range[] = [];
    for (const [name, category] of this.#categoryIds) {
      if (name.startsWith('$') || (categories !== undefined && !categories.includes(name))) continue;
      if (prefixes === undefined || prefixes.some((prefix) => name.startsWith(prefix))) {
        ranges.push({ category, keyPrefixes: [] });
        continue;
      }
      const keyPrefixes = prefixes.filter((prefix) => prefix.startsWith(`${name}-`)).map(keyOf);
      // "name-" is the whole category but for the one stream that is called just "name", whose key is empty.
      if (keyPrefixes.length > 0) ranges.push({ category, keyPrefixes });
    }
    return ranges;
  }

  #typeIdsOf(names: readonly string[]): number[] {
    if (names.some((name) => !this.#typeIds.has(name))) this.#loadTypes();
    return names.flatMap((name) => this.#typeIds.get(name) ?? []);
  }

  #categoryId(name: string): number | undefined {
    if (!this.#categoryIds.has(name)) this.#loadCategories();
    return this.#categoryIds.get(name);
  }

  #loadCategories(): void {
    const known = this.#categoryNames.size === 0 ? 0 : Math.max(...this.#categoryNames.keys());
    for (const [id, name] of this.#all<[number, string]>('SELECT id, name FROM categories WHERE id > ?', [known])) {
      this.#categoryIds.set(name, id);
      this.#categoryNames.set(id, name);
    }
  }

  #loadTypes(): void {
    for (const [id, name] of this.#all<[number, string]>('SELECT id, name FROM types', [])) {
      this.#typeIds.set(name, id);
      this.#typeNames.set(id, name);
    }
  }

  #all<Row = EventRow>(sql: string, values: readonly unknown[]): Row[] {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      if (this.#statements.size >= 200) this.#statements.clear();
      statement = this.#database.prepare(sql).raw();
      this.#statements.set(sql, statement);
    }
    return statement.all(values) as Row[];
  }
}

function anyOf(ranges: readonly Range[]): [string, unknown[]] {
  const whole = ranges.filter((range) => range.keyPrefixes.length === 0).map((range) => range.category);
  const conditions =
    whole.length === 0 ? [] : [whole.length === 1 ? `category = ${whole[0]}` : `category IN (${whole.join(',')})`];
  const values: unknown[] = [];
  for (const { category, keyPrefixes } of ranges) {
    if (keyPrefixes.length === 0) continue;
    const keys = keyPrefixes.map(() => `substr(key, 1, ?) = ?`).join(' OR ');
    conditions.push(`(category = ${category} AND key <> '' AND (${keys}))`);
    for (const prefix of keyPrefixes) values.push([...prefix].length, prefix);
  }
  return [conditions.length === 1 ? conditions[0]! : `(${conditions.join(' OR ')})`, values];
}
