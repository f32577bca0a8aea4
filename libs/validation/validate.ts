import type { Schema } from '#libs/kernel';
import type { Class } from './class.js';
import { jsonSchemaOf } from './json-schema/of-class.js';
import { planOf, UnionPlan, type Nested, type Plan, type PropertyPlan } from './plan.js';

export type { Class } from './class.js';

/** What is wrong with one field. */
export interface FieldProblem {
  /** `content.attachments[0].fileName`; empty for the whole. */
  readonly path: string;
  /** For people. Never holds the value. */
  readonly message: string;
}

/** More problems than these are not told. */
const maxProblems = 100;

/**
 * Checks JSON data against a class with class-validator's decorators. The decorators are class-validator's, the walk is
 * this library's own: several times quicker, and stricter.
 *
 * - Nothing is converted, and nothing is made: valid data has the shape of the class, it is no instance of it.
 * - A field that the class does not decorate is a problem, at any depth; `@Allow()` lets one through unchecked.
 * - A field has to be there unless `@IsOptional()` or `@ValidateIf()` says otherwise; for `@IsOptional()` null is absent.
 * - `@ValidateNested()` with `@Type()` takes one object, `{ each: true }` an array of them; `@IsRecordOf()` objects by key;
 *   `@IsUnionOf()` takes objects of several classes.
 * - A field tells its first problem only, in the order in which its decorators are written.
 *
 * @returns at most 100 problems; none when the data is valid
 */
export function validate<T extends object>(type: Class<T>, data: unknown): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  validateObject(planOf(type), data, '', problems);
  return problems;
}

/** The problems as lines of text. */
export function problemsOf<T extends object>(type: Class<T>, data: unknown): string[] {
  return validate(type, data).map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
}

/** The class as the schema of a stored message: a reader checks a record with what its writer was checked with. */
export function schemaOf<T extends object>(type: Class<T>): Schema<T> {
  return { problems: (data) => problemsOf(type, data), jsonSchema: () => jsonSchemaOf(type) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function report(problems: FieldProblem[], path: string, message: string): void {
  if (problems.length < maxProblems) problems.push({ path, message });
}

function validateObject(plans: Plan | UnionPlan, data: unknown, path: string, problems: FieldProblem[]): void {
  if (!isObject(data)) return report(problems, path, 'must be an object');
  const plan = plans instanceof UnionPlan ? plans.plans.get(data[plans.discriminator]) : plans;
  if (plan === undefined) return reportUnknownVariant(plans as UnionPlan, path, problems);
  for (const key in data) {
    if (!plan.properties.has(key)) report(problems, childPath(path, key), 'is not a known field');
  }
  for (const property of plan.properties.values()) validateProperty(property, data, path, problems);
}

function reportUnknownVariant({ discriminator, plans }: UnionPlan, path: string, problems: FieldProblem[]): void {
  report(problems, childPath(path, discriminator), `must be one of ${[...plans.keys()].join(', ')}`);
}

function validateProperty(
  property: PropertyPlan,
  object: Record<string, unknown>,
  parent: string,
  problems: FieldProblem[],
): void {
  const value = object[property.name];
  for (const applies of property.conditions) if (!applies(object, value)) return;
  const message = firstMessage(property, object, value);
  if (message !== undefined) report(problems, childPath(parent, property.name), message);
  else if (property.nested) validateNested(property.nested, value, childPath(parent, property.name), problems);
}

function firstMessage(property: PropertyPlan, object: object, value: unknown): string | undefined {
  if (property.nested && value === undefined) return 'is required';
  if (property.nested?.shape === 'array' && !Array.isArray(value)) return 'must be an array';
  for (const rule of property.rules) {
    if (
      rule.each ? Array.isArray(value) && value.every((item) => rule.passes(object, item)) : rule.passes(object, value)
    ) {
      continue;
    }
    if (value === undefined) return 'is required';
    return rule.each && !Array.isArray(value) ? 'must be an array' : rule.message(object, value);
  }
  return undefined;
}

function validateNested(nested: Nested, value: unknown, path: string, problems: FieldProblem[]): void {
  const plan = nested.plans();
  if (nested.shape === 'object') {
    validateObject(plan, value, path, problems);
  } else if (nested.shape === 'array') {
    (value as unknown[]).forEach((item, index) => validateObject(plan, item, `${path}[${index}]`, problems));
  } else {
    const entries = Object.entries(value as object);
    if (entries.length > nested.maxEntries) {
      return report(problems, path, `must not have more than ${nested.maxEntries} entries`);
    }
    for (const [key, item] of entries) validateObject(plan, item, childPath(path, key), problems);
  }
}

function childPath(parent: string, key: string): string {
  if (!/^[\w$-]{1,100}$/.test(key)) return `${parent}[${JSON.stringify(key.slice(0, 100))}]`;
  return parent === '' ? key : `${parent}.${key}`;
}
