import { placeDigits } from './place.js';
import type { ListQuery, NotificationQuery, OperationQuery } from './entries.js';

type Value = string | number | Buffer;

interface Sql {
  readonly sql: string;
  readonly parameters: readonly Value[];
}

/** Conditions with their values, in the order of the text. */
class Conditions {
  private readonly texts: string[] = [];
  readonly parameters: Value[] = [];

  /** Nothing where the value is absent. */
  add(text: string, ...values: readonly (Value | null | undefined)[]): void {
    if (values.some((value) => value == null)) return;
    this.texts.push(text);
    this.parameters.push(...(values as Value[]));
  }

  get where(): string {
    return this.texts.length === 0 ? '' : `WHERE ${this.texts.join(' AND ')}`;
  }
}

/** The query as SQL. Which index is gone through is said, not guessed: nobody keeps statistics of the tables. */
export function sqlOf(query: ListQuery): Sql {
  return query.kind === 'notifications' ? notificationsSql(query) : operationsSql(query);
}

function notificationsSql(query: NotificationQuery): Sql {
  const { address, channel, after, from, to, limit } = query;
  const tags = [...query.tags];
  const conditions = new Conditions();
  let tables = 'notification n';
  let place = 'n.place';
  if (address !== undefined || tags.length > 0) {
    tables = `${address === undefined ? 'tag' : 'operation'} d CROSS JOIN notification n ON n.place = d.place`;
    place = 'd.place';
    if (address !== undefined) conditions.add('d.address = ?', bytesOf(address));
    else conditions.add('d.name = ? AND d.value = ?', ...tags.shift()!);
  }
  conditions.add(`${place} < ?`, bytesOf(after));
  conditions.add(`${place} >= ?`, bytesOf(from));
  conditions.add(`${place} < ?`, bytesOf(to));
  // One column goes through its index; the plus keeps the others from theirs.
  let plus = place === 'd.place' ? '+' : '';
  for (const [column, value] of columnsOf(query)) {
    conditions.add(`${plus}n.${column} = ?`, value);
    if (value !== undefined) plus = '+';
  }
  conditions.add('EXISTS (SELECT 1 FROM operation o WHERE o.place = n.place AND +o.channel = ?)', channel);
  for (const tag of tags) {
    conditions.add('EXISTS (SELECT 1 FROM tag t WHERE t.name = ? AND t.value = ? AND t.place = n.place)', ...tag);
  }
  return {
    sql: `SELECT DISTINCT lower(hex(${place})) AS place FROM ${tables} ${conditions.where} ORDER BY ${place} DESC LIMIT ?`,
    parameters: [...conditions.parameters, limit],
  };
}

/** Those that leave least come first. */
function columnsOf(query: NotificationQuery): readonly (readonly [column: string, value: string | undefined])[] {
  const { broadcastId, recipientId, category, status, severity } = query;
  return [
    ['broadcast', broadcastId],
    ['recipient', recipientId],
    ['category', category],
    ['status', status],
    ['severity', severity],
  ];
}

function operationsSql({ channel, status, address, after, from, to, limit }: OperationQuery): Sql {
  const conditions = new Conditions();
  conditions.add('address = ?', bytesOf(address));
  const plus = address === undefined ? '' : '+';
  conditions.add(`${plus}channel = ?`, channel);
  conditions.add(`${plus}status = ?`, status);
  conditions.add('(place, id) < (?, ?)', bytesOf(after?.slice(0, placeDigits)), bytesOf(after?.slice(placeDigits)));
  conditions.add('place >= ?', bytesOf(from));
  conditions.add('place < ?', bytesOf(to));
  return {
    sql: `SELECT lower(hex(place)) AS place, lower(hex(id)) AS operationId FROM operation ${conditions.where} ORDER BY place DESC, id DESC LIMIT ?`,
    parameters: [...conditions.parameters, limit],
  };
}

/** What is kept as bytes, from its hexadecimal digits. */
export function bytesOf<Digits extends string | null | undefined>(digits: Digits): Buffer | Exclude<Digits, string> {
  return typeof digits === 'string' ? Buffer.from(digits, 'hex') : (digits as Exclude<Digits, string>);
}
