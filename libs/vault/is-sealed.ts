import { ValidateBy } from 'class-validator';
import { isSealed } from './sealer.js';

/** A property that holds a sealed text. */
export function IsSealed(): PropertyDecorator {
  return ValidateBy({
    name: 'isSealed',
    validator: { validate: isSealed, defaultMessage: () => 'must be a sealed text' },
  });
}
