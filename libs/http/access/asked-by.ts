import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Caller, Scope } from '#libs/access';
import { forbidden } from '../problem.js';

/** Who asks: `@AskedBy() caller: Caller | undefined`. Undefined where the server has no keys. */
export const AskedBy = createParamDecorator(
  (_: undefined, context: ExecutionContext) => context.switchToHttp().getRequest<FastifyRequest>().caller,
);

/**
 * For what a request needs on top of its route, depending on what it says.
 * @param why what needs it: `to tell several at once`
 * @throws Problem 403
 */
export function demand(caller: Caller | undefined, scope: Scope, why: string): void {
  if (caller === undefined || caller.may(scope)) return;
  throw forbidden(`${why}, the API key needs the scope ${scope}`, scope);
}
