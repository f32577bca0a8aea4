import type { ValidationOptions } from 'class-validator';
import type { JsonSchema } from './json-schema.js';

type Constraints = readonly unknown[];

/** What class-validator's own decorators ask for, by the name it gives them. Others are told in words. */
export const keywordsOf: Readonly<Record<string, (constraints: Constraints) => JsonSchema>> = {
  isString: () => ({ type: 'string' }),
  isBoolean: () => ({ type: 'boolean' }),
  isInt: () => ({ type: 'integer' }),
  isNumber: () => ({ type: 'number' }),
  isObject: () => ({ type: 'object' }),
  isArray: () => ({ type: 'array' }),
  isIn: ([values]) => ({ enum: values }),
  min: ([least]) => ({ minimum: least }),
  max: ([most]) => ({ maximum: most }),
  isNotEmpty: () => ({ minLength: 1 }),
  minLength: ([least]) => ({ minLength: least }),
  maxLength: ([most]) => ({ maxLength: most }),
  arrayMinSize: ([least]) => ({ minItems: least }),
  arrayMaxSize: ([most]) => ({ maxItems: most }),
  arrayUnique: () => ({ uniqueItems: true }),
  matches: ([pattern]) => ({ type: 'string', pattern: (pattern as RegExp).source }),
  isUuid: () => ({ type: 'string', format: 'uuid' }),
  isBase64: () => ({ type: 'string', contentEncoding: 'base64' }),
  isUrl: () => ({ type: 'string' }),
};

interface Described {
  readonly jsonSchema: JsonSchema;
}

/**
 * For a decorator of our own: says in its options what it asks for, as far as a JSON Schema can. Never more than it does:
 * what the decorator lets through has to be valid.
 */
export function withSchema(jsonSchema: JsonSchema, options: ValidationOptions = {}): ValidationOptions {
  return { ...options, context: { jsonSchema } satisfies Described };
}

/** What `withSchema` has said; nothing where it was not used. */
export function saidSchema(context: unknown): JsonSchema {
  return (context as Partial<Described> | undefined)?.jsonSchema ?? {};
}
