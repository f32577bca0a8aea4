import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticator, Caller } from '#libs/access';
import { forbidden, unauthenticated, type Problem } from '../problem.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined where the server has no keys, and on public routes. */
    caller: Caller | undefined;
  }
}

const undeclared =
  'nobody may use this route, since it does not say what it needs: declare it at the controller, with @Needs(<scope>) ' +
  'or @Public() from #libs/http';

/**
 * Lets nobody in but callers who have what the route needs, before anything of the body is read. Routes that are public
 * are for everybody; whoever is not known learns of no other whether it exists.
 */
export function guard(fastify: FastifyInstance, authenticator: Authenticator): void {
  fastify.addHook('onRequest', (request, reply, done) => done(refusal(request, reply, authenticator)));
}

function refusal(request: FastifyRequest, reply: FastifyReply, authenticator: Authenticator): Problem | undefined {
  const { needs } = request.routeOptions.config;
  if (needs === 'nothing') return undefined;
  // Not `request.headers`: those of a streamed body hold its media type only.
  const bearer = bearerOf(request.raw.headers.authorization);
  request.caller = bearer === undefined ? undefined : authenticator.identify(bearer);
  if (request.caller === undefined) {
    void reply.header('www-authenticate', bearer === undefined ? 'Bearer' : 'Bearer error="invalid_token"');
    return unauthenticated(bearer !== undefined);
  }
  if (request.is404) return undefined;
  if (needs === undefined) return forbidden(undeclared);
  if (request.caller.may(needs)) return undefined;
  void reply.header('www-authenticate', `Bearer error="insufficient_scope", scope="${needs}"`);
  return forbidden(`the API key needs the scope ${needs}`, needs);
}

function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer +([!-~]{1,512}) *$/i.exec(header ?? '')?.[1];
}
