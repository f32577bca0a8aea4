import { nameOf, type JsonSchema } from './json-schema.js';

/** Collects the named schemas of a document as its components. */
export class Components {
  readonly schemas: Record<string, unknown> = {};
  private readonly taken = new Map<string, JsonSchema>();

  /** The value with a reference in the place of every named schema in it. @throws TypeError where two have one name */
  refer(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const schema = value as JsonSchema;
    const name = nameOf(schema);
    if (name === undefined) return this.referWithin(value);
    const taken = this.taken.get(name);
    if (taken !== undefined && taken !== schema) throw new TypeError(`two schemas are called ${name}`);
    if (taken === undefined) {
      this.taken.set(name, schema);
      this.schemas[name] = this.referWithin(value);
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  private referWithin(value: object): unknown {
    if (Array.isArray(value)) return value.map((item) => this.refer(item));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.refer(item)]));
  }
}
