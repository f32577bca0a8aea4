import type { Class } from '../class.js';
import { IS_RECORD_OF, IS_UNION_OF } from '../decorators.js';
import { planOf, UnionPlan, type Nested, type Plan, type PropertyPlan, type Rule } from '../plan.js';
import { named, nullable, type JsonSchema } from './json-schema.js';
import { keywordsOf, saidSchema } from './rules.js';

const made = new Map<Class, JsonSchema>();

/**
 * The JSON Schema of what `validate` takes for the class, from the same decorators; named as the class is, without `Dto`.
 * Whatever `validate` takes is valid; what a schema cannot say stands in its descriptions.
 */
export function jsonSchemaOf(type: Class): JsonSchema {
  const known = made.get(type);
  if (known !== undefined) return known;
  // There before it is complete: classes may name each other.
  const schema: Record<string, unknown> = named(type.name.replace(/Dto$/, ''), {});
  made.set(type, schema);
  return Object.assign(schema, objectSchema(planOf(type)));
}

function objectSchema({ properties }: Plan): JsonSchema {
  const all = [...properties.values()];
  const required = all.filter(({ conditions }) => conditions.length === 0).map(({ name }) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(all.map((property) => [property.name, propertySchema(property)])),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

function propertySchema(property: PropertyPlan): JsonSchema {
  const { conditions, rules, nested } = property;
  const own = merge(rules.filter(({ each }) => !each).map(keywords));
  const ofItems = rules.filter(({ each }) => each).map(keywords);
  const schema = withNested({ ...own, ...(ofItems.length > 0 && { type: 'array', items: merge(ofItems) }) }, nested);
  const description = [...new Set(rules.filter(needsWords).map((rule) => rule.message({}, undefined)))].join('; ');
  const described = description === '' ? schema : { ...schema, description };
  // A condition other than `@IsOptional` depends on other fields: where it is false, anything may be absent.
  return conditions.length === 0 ? described : nullable(described);
}

function withNested(own: JsonSchema, nested: Nested | undefined): JsonSchema {
  if (nested === undefined) return own;
  const item = referTo(nested.plans());
  switch (nested.shape) {
    case 'object':
      return Object.keys(own).length === 0 ? item : { allOf: [item], ...own };
    case 'array':
      return { ...own, type: 'array', items: item };
    case 'record':
      return { ...own, additionalProperties: item, maxProperties: nested.maxEntries };
  }
}

function referTo(plan: Plan | UnionPlan): JsonSchema {
  if (!(plan instanceof UnionPlan)) return jsonSchemaOf(plan.type);
  return { anyOf: [...plan.plans.values()].map(({ type }) => jsonSchemaOf(type)) };
}

function keywords({ decoration: { name, constraints, context } }: Rule): JsonSchema {
  return keywordsOf[name ?? '']?.(constraints ?? []) ?? saidSchema(context);
}

/** Nested objects say for themselves what they are. */
function needsWords({ decoration: { name, message } }: Rule): boolean {
  if (name === IS_RECORD_OF || name === IS_UNION_OF) return false;
  return !(name !== undefined && name in keywordsOf) || Boolean(message);
}

function merge(schemas: readonly JsonSchema[]): JsonSchema {
  return Object.assign({}, ...schemas) as JsonSchema;
}
