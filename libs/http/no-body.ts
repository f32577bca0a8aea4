import type { PipeTransform } from '@nestjs/common';
import { invalid } from './problem.js';

/** For a body that says nothing: there is none, or it is an empty object. @throws Problem 422 */
export const noBody: PipeTransform<unknown, void> = {
  transform: (body) => {
    if (body === undefined) return;
    const fields = typeof body === 'object' && body !== null && !Array.isArray(body) ? Object.keys(body) : [''];
    if (fields.length > 0) throw invalid(fields.map((path) => ({ path, message: 'is not known: this takes no body' })));
  },
};
