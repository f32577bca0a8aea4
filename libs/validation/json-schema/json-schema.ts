/** A JSON Schema of draft 2020-12. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

const names = new WeakMap<JsonSchema, string>();

/** The schema under a name: a document has it once, as a component, and refers to it wherever it is used. */
export function named<Named extends JsonSchema>(name: string, schema: Named): Named {
  names.set(schema, name);
  return schema;
}

export function nameOf(schema: JsonSchema): string | undefined {
  return names.get(schema);
}

/** The schema, or null. */
export function nullable(schema: JsonSchema): JsonSchema {
  const { type, enum: values } = schema;
  if (nameOf(schema) !== undefined || typeof type !== 'string') {
    return Array.isArray(values) && type === undefined
      ? { ...schema, enum: [...(values as unknown[]), null] }
      : { anyOf: [schema, { type: 'null' }] };
  }
  if (Array.isArray(values)) return { ...schema, type: [type, 'null'], enum: [...(values as unknown[]), null] };
  return { ...schema, type: [type, 'null'] };
}
