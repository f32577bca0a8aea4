import type { JsonSchema } from '#libs/validation';
import { anchor, code, escape, prose } from './markup.js';

const referenceStart = '#/components/schemas/';
/** Keywords that have a form of their own; the others are told as they stand. */
const shown: ReadonlySet<string> = new Set([
  '$ref',
  'type',
  'enum',
  'const',
  'properties',
  'required',
  'items',
  'additionalProperties',
  'anyOf',
  'allOf',
  'description',
]);

/** What a value is, in one line: `array of Operation`, `string or null`. */
export function typeOf(schema: JsonSchema): string {
  const { $ref, type, enum: values, const: value, items, anyOf, allOf, additionalProperties } = schema;
  if (typeof $ref === 'string') {
    const name = $ref.slice(referenceStart.length);
    return `<a href="#${anchor(name)}">${escape(name)}</a>`;
  }
  if (Array.isArray(anyOf)) return (anyOf as JsonSchema[]).map(typeOf).join(' or ');
  if (Array.isArray(allOf)) return (allOf as JsonSchema[]).map(typeOf).join(' and ');
  if (value !== undefined) return code(JSON.stringify(value));
  if (Array.isArray(values)) return values.map((one) => code(JSON.stringify(one))).join(' or ');
  const types = [type ?? 'anything'].flat() as string[];
  if (types[0] === 'array' && isSchema(items)) return ['array of ' + typeOf(items), ...types.slice(1)].join(' or ');
  if (types[0] === 'object' && isSchema(additionalProperties))
    return ['object with values of ' + typeOf(additionalProperties), ...types.slice(1)].join(' or ');
  return types.join(' or ');
}

/** The fields of an object, those of objects within it included. */
export function fieldsOf(schema: JsonSchema): string {
  const { properties, required } = objectIn(schema) ?? {};
  if (properties === undefined) return '';
  const needed = new Set((required as string[] | undefined) ?? []);
  const rows = Object.entries(properties as Record<string, JsonSchema>).map(([name, field]) => {
    const presence = needed.has(name) ? '' : ' <small>optional</small>';
    return `<tr><th>${code(name)}${presence}</th><td>${typeOf(field)}${limitsOf(field)}${wordsOf(field)}${fieldsOf(field)}</td></tr>`;
  });
  return `<table>${rows.join('')}</table>`;
}

export function limitsOf(schema: JsonSchema): string {
  const limits = Object.entries(schema).filter(([keyword, value]) => !shown.has(keyword) && typeof value !== 'object');
  return limits.map(([keyword, value]) => ` <small>${escape(keyword)} ${code(String(value))}</small>`).join('');
}

function wordsOf({ description }: JsonSchema): string {
  return typeof description === 'string' ? `<div>${prose(description)}</div>` : '';
}

/** The object that stands here itself, in an array, or beside null; not one that is referred to. */
function objectIn(schema: JsonSchema): JsonSchema | undefined {
  if (isSchema(schema['properties'])) return schema;
  if (isSchema(schema['items'])) return objectIn(schema['items']);
  if (isSchema(schema['additionalProperties'])) return objectIn(schema['additionalProperties']);
  const parts = (schema['anyOf'] ?? []) as JsonSchema[];
  return parts.map(objectIn).find((part) => part !== undefined);
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null;
}
