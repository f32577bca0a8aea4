import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, ValidationTypes, type ValidationArguments } from 'class-validator';
import type { Class } from './class.js';
import { IS_RECORD_OF, IS_UNION_OF, type Variants } from './decorators.js';

type Condition = (object: object, value: unknown) => boolean;

/** One decorator of a property. */
export interface Rule {
  /** What class-validator knows of it. */
  readonly decoration: Decoration;
  readonly each: boolean;
  passes(object: object, value: unknown): boolean;
  message(object: object, value: unknown): string;
}

/** What stands in a property: an object of a class, or several in an array or under keys. */
export interface Nested {
  readonly shape: 'object' | 'array' | 'record';
  readonly maxEntries: number;
  /** Of each of the objects. Looked up late, so that classes may name each other. */
  plans(): Plan | UnionPlan;
}

/** Objects of several classes, told apart by one of their fields. */
export class UnionPlan {
  constructor(
    readonly discriminator: string,
    readonly plans: ReadonlyMap<unknown, Plan>,
  ) {}
}

export interface PropertyPlan {
  readonly name: string;
  /** Where one is false, nothing else is checked: `@IsOptional`, `@ValidateIf`. */
  readonly conditions: readonly Condition[];
  /** In the order they are written in. */
  readonly rules: readonly Rule[];
  readonly nested: Nested | undefined;
}

/** Everything that class-validator knows about a class. */
export interface Plan {
  readonly type: Class;
  readonly properties: ReadonlyMap<string, PropertyPlan>;
}

export type Decoration = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

const plans = new Map<Class, Plan>();

/** The plan of the class; made when it is first asked for. @throws TypeError where a decorator is not supported */
export function planOf(type: Class): Plan {
  let plan = plans.get(type);
  if (plan === undefined) {
    plan = makePlan(type);
    plans.set(type, plan);
  }
  return plan;
}

function makePlan(type: Class): Plan {
  const byProperty = new Map<string, Decoration[]>();
  // Decorators register from the last to the first; turned round so that `@IsString` speaks before `@MaxLength`.
  for (const decoration of getMetadataStorage().getTargetValidationMetadatas(type, '', false, false).toReversed()) {
    const decorations = byProperty.get(decoration.propertyName);
    if (decorations) decorations.push(decoration);
    else byProperty.set(decoration.propertyName, [decoration]);
  }
  const properties = [...byProperty].map(
    ([name, decorations]) => [name, makeProperty(type, name, decorations)] as const,
  );
  return { type, properties: new Map(properties) };
}

function makeProperty(type: Class, name: string, decorations: readonly Decoration[]): PropertyPlan {
  const conditions: Condition[] = [];
  const rules: Rule[] = [];
  let nested: Nested | undefined;
  for (const decoration of decorations) {
    if (decoration.type === ValidationTypes.CONDITIONAL_VALIDATION)
      conditions.push(decoration.constraints[0] as Condition);
    else if (decoration.type === ValidationTypes.NESTED_VALIDATION) nested = makeNested(type, decoration);
    else if (decoration.type === ValidationTypes.PROMISE_VALIDATION) throw unsupported(type, name, '@ValidatePromise');
    else if (decoration.type !== ValidationTypes.WHITELIST) rules.push(...makeRules(type, decoration));
    if (decoration.name === IS_RECORD_OF) nested = makeRecord(decoration);
    if (decoration.name === IS_UNION_OF) nested = makeUnion(decoration);
  }
  return { name, conditions, rules, nested };
}

function makeRules(type: Class, decoration: Decoration): Rule[] {
  const { propertyName: property, constraints, validateIf } = decoration;
  return getMetadataStorage()
    .getTargetValidatorConstraints(decoration.constraintCls)
    .map((constraint) => {
      if (constraint.async) throw unsupported(type, property, `the asynchronous @${constraint.name}`);
      const validator = constraint.instance;
      const args = (object: object, value: unknown): ValidationArguments => {
        return { targetName: type.name, property, object, value, constraints };
      };
      return {
        decoration,
        each: decoration.each,
        passes: (object, value) =>
          (validateIf !== undefined && !validateIf(object, value)) ||
          validator.validate(value, args(object, value)) === true,
        message: (object, value) => {
          const message = decoration.message || validator.defaultMessage?.bind(validator) || `$property is not valid`;
          const text = typeof message === 'function' ? message(args(object, value)) : message;
          return text
            .replace(/\$constraint(\d)/g, (_, n: string) => [constraints?.[Number(n) - 1]].flat().join(', '))
            .replaceAll('$property', property);
        },
      };
    });
}

function makeNested(type: Class, { propertyName: property, each }: Decoration): Nested {
  return {
    shape: each ? 'array' : 'object',
    maxEntries: Infinity,
    plans: once(() => planOf(nestedType(type, property))),
  };
}

function makeRecord({ constraints }: Decoration): Nested {
  const [of, maxEntries] = constraints as [() => Class, number];
  return { shape: 'record', maxEntries, plans: once(() => planOf(of())) };
}

function makeUnion({ constraints, each }: Decoration): Nested {
  const [discriminator, variants] = constraints as [string, () => Variants];
  const plans = () =>
    new UnionPlan(discriminator, new Map(Object.entries(variants()).map(([name, type]) => [name, planOf(type)])));
  return { shape: each ? 'array' : 'object', maxEntries: Infinity, plans: once(plans) };
}

/** class-transformer keeps what `@Type` says to itself: what it makes of an empty object tells it. */
function nestedType(type: Class, property: string): Class {
  const made: unknown = plainToInstance(type, { [property]: {} })[property as never];
  const nested = (made as object | undefined)?.constructor as Class | undefined;
  if (nested === undefined || nested === Object) throw unsupported(type, property, '@ValidateNested without @Type');
  return nested;
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

function unsupported(type: Class, property: string, what: string): TypeError {
  return new TypeError(`${type.name}.${property}: ${what} is not supported`);
}
