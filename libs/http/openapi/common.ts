import { jsonSchemaOf, named, nullable, type Class, type JsonSchema } from '#libs/validation';
import { problemTypes } from '../problem.js';
import type { RecordView } from '../record-view.js';
import type { AnswerDescription, BodyDescription, HeaderDescription, ParameterDescription } from './description.js';

export const text: JsonSchema = { type: 'string' };
export const flag: JsonSchema = { type: 'boolean' };
/** 0 or more. */
export const count: JsonSchema = { type: 'integer', minimum: 0 };
export const uuid: JsonSchema = { type: 'string', format: 'uuid' };
/** RFC 3339, UTC. */
export const time: JsonSchema = { type: 'string', format: 'date-time' };
/** A position in the store: as text, since it may be larger than what JSON numbers can hold exactly. */
export const position: JsonSchema = { type: 'string', pattern: '^\\d{1,19}$' };

export function oneOf(values: readonly (string | boolean)[]): JsonSchema {
  return { enum: values };
}

/** One of the values; each is told what it stands for. The type makes sure that none is left out. */
export function meaning<Value extends string>(values: Readonly<Record<Value, string>>): JsonSchema {
  const told = Object.entries<string>(values).map(([value, what]) => `\`${value}\`: ${what}`);
  return { type: 'string', enum: Object.keys(values), description: told.join('; ') };
}

export function arrayOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

/** An object with values of one kind under any keys. */
export function recordOf(values: JsonSchema): JsonSchema {
  return { type: 'object', additionalProperties: values };
}

type OptionalKey<View> = { [Key in keyof View]-?: object extends Pick<View, Key> ? Key : never }[keyof View];

/** Exactly the properties of the view: one more or less does not compile. All are always there but `optional`. */
export function objectOf<View extends object>(
  properties: { readonly [Key in keyof View]-?: JsonSchema },
  optional: readonly OptionalKey<View>[] = [],
): JsonSchema {
  const required = Object.keys(properties).filter((name) => !(optional as readonly string[]).includes(name));
  return { type: 'object', properties, required, additionalProperties: false };
}

/** A page of a list. */
export function pageOf(items: JsonSchema): JsonSchema {
  return objectOf<{ items: unknown; nextCursor: unknown }>({
    items: arrayOf(items),
    nextCursor: { ...nullable(text), description: 'The `cursor` of the next page; null where nothing follows.' },
  });
}

/** A JSON body that `validated` checks against the class. */
export function bodyOf(type: Class, example?: unknown): BodyDescription {
  return { schema: jsonSchemaOf(type), ...(example !== undefined && { example }) };
}

export function answer(
  description: string,
  schema: JsonSchema,
  headers: Readonly<Record<string, HeaderDescription>> = {},
): AnswerDescription {
  return { description, content: { 'application/json': schema }, headers };
}

export const ifMatch: Readonly<Record<string, ParameterDescription>> = {
  'If-Match': {
    description: 'Only where this is its revision: the `ETag` of an answer, or `*` for any that exists.',
    schema: text,
  },
};

/** Query parameters of a list. */
export const paging: Readonly<Record<string, ParameterDescription>> = {
  limit: { description: 'How many items at most.', schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 } },
  cursor: { description: 'The `nextCursor` of the page before.', schema: text },
};

export const waiting: Readonly<Record<string, ParameterDescription>> = {
  wait: {
    description: 'Seconds to wait for the end, with up to three decimals; then the state at that time is answered.',
    schema: { type: 'number', minimum: 0, maximum: 60, default: 0 },
  },
};

export const asOf: Readonly<Record<string, ParameterDescription>> = {
  asOf: {
    description: 'The state at that moment: an RFC 3339 time, or a position in the store.',
    schema: { anyOf: [time, position] },
  },
};

/** Of an answer that may be an event stream. */
export const resuming: Readonly<Record<string, ParameterDescription>> = {
  'Last-Event-ID': {
    description: 'Only of `text/event-stream`: the id of the last event that was seen, to go on after it.',
    schema: position,
  },
};

export const etagHeader: Readonly<Record<string, HeaderDescription>> = {
  ETag: { description: 'Its revision, for `If-Match`.', schema: text, required: true },
};

export const positionHeader: Readonly<Record<string, HeaderDescription>> = {
  'Tidings-Position': { description: 'Position of its last record in the store.', schema: position, required: false },
};

export const locationHeader: Readonly<Record<string, HeaderDescription>> = {
  Location: { description: 'Where it can be read.', schema: text, required: true },
};

/** RFC 9457. */
export const problemSchema: JsonSchema = named('Problem', {
  type: 'object',
  properties: {
    type: { enum: [...Object.keys(problemTypes).map((name) => `/problems/${name}`), 'about:blank'] },
    title: text,
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: text,
    errors: {
      type: 'array',
      description: 'What is wrong with which field; only of `/problems/validation`.',
      items: objectOf<{ path: string; message: string }>({
        path: {
          type: 'string',
          description: 'Such as `content.attachments[0].fileName`; empty for the body as a whole.',
        },
        message: text,
      }),
    },
    code: { type: 'string', description: 'Tells programs why; only of some `/problems/conflict`.' },
    scope: { type: 'string', description: 'That the API key needs; only of some `/problems/forbidden`.' },
    requestId: { type: 'string', description: 'Under which the cause is in the log; only of `/problems/internal`.' },
    stream: { type: 'string', description: 'Of the record; only of `/problems/unreadable-record`.' },
    revision: { type: 'integer', description: 'Of the record; only of `/problems/unreadable-record`.' },
  },
  required: ['type', 'title', 'status'],
});

/** A record as auditors and operators see it. */
export const recordSchema: JsonSchema = named(
  'Record',
  objectOf<RecordView>(
    {
      id: uuid,
      type: { type: 'string', description: 'Stored type name.' },
      stream: text,
      revision: count,
      position,
      occurredAt: time,
      causationId: nullable(text),
      data: { description: 'Personal data is opened, where its key still exists.' },
      metadata: { type: 'object' },
      unreadable: {
        type: 'string',
        description: 'Why it cannot be read; `data` is as it is stored then, what is sealed in it included.',
      },
    },
    ['unreadable'],
  ),
);
