import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { traceIdOf } from '#libs/http';

/** Milliseconds between two lines about requests that were refused: whoever has no key must not fill the disk. */
const refusalsEvery = 1_000;

/**
 * Tells of each request, by the template of its route: paths and queries hold ids and addresses. Refused callers are
 * warnings, what operators do is information, everything else is for debugging.
 */
export function logRequests(fastify: FastifyInstance, log: Logger): void {
  const refused = seldom(refusalsEvery, (fields, unsaid) =>
    log.warn({ ...fields, ...(unsaid > 0 && { unsaid }) }, 'a request was refused'),
  );
  fastify.addHook('onResponse', (request, reply, done) => {
    if (reply.statusCode === 401 || reply.statusCode === 403) refused(fieldsOf(request, reply));
    else if (isSteering(request)) log.info(fieldsOf(request, reply), 'a request of an operator was answered');
    else if (log.isLevelEnabled('debug')) log.debug(fieldsOf(request, reply), 'a request was answered');
    done();
  });
}

function isSteering({ method, routeOptions }: FastifyRequest): boolean {
  return method !== 'GET' && routeOptions.config.needs === 'operate';
}

function fieldsOf({ id, raw, method, routeOptions, caller }: FastifyRequest, reply: FastifyReply) {
  return {
    requestId: id,
    traceId: traceIdOf(raw.headers['traceparent']),
    caller: caller?.name,
    method,
    route: routeOptions.url,
    status: reply.statusCode,
    milliseconds: Math.round(reply.elapsedTime),
  };
}

/** @param say told how many were left out since the last one */
function seldom(every: number, say: (fields: object, unsaid: number) => void): (fields: object) => void {
  let unsaid = 0;
  let silentUntil = 0;
  return (fields) => {
    const now = performance.now();
    if (now < silentUntil) {
      unsaid += 1;
      return;
    }
    say(fields, unsaid);
    silentUntil = now + every;
    unsaid = 0;
  };
}
