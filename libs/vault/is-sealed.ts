import { ValidateBy, type ValidationOptions } from 'class-validator';
import { isSealed } from './sealer.js';

/** A property that holds a sealed text, or with `{ each: true }` an array of them. */
export function IsSealed(options?: ValidationOptions): PropertyDecorator {
  const validator = { validate: isSealed, defaultMessage: () => 'must be a sealed text' };
  // For documents, as `withSchema` of libs/validation has it.
  const context = { jsonSchema: { type: 'string', pattern: '^sealed\\.v1\\.' } };
  return ValidateBy({ name: 'isSealed', validator }, { ...options, context });
}
