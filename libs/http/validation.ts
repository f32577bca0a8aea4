import type { PipeTransform } from '@nestjs/common';
import { validate, type Class } from '#libs/validation';
import { invalid } from './problem.js';

/**
 * Checks a body against a class: `@Body(validated(PutRecipient)) body: PutRecipient`. The body passes as it is: it has the
 * shape of the class and is no instance of it.
 * @throws Problem 422 with all that is wrong
 */
export function validated<T extends object>(type: Class<T>): PipeTransform<unknown, T> {
  return {
    transform: (body) => {
      const problems = body === undefined ? [{ path: '', message: 'a JSON body is required' }] : validate(type, body);
      if (problems.length > 0) throw invalid(problems);
      return body as T;
    },
  };
}
