import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { traceIdOf } from '#libs/http';

/** Milliseconds between two lines about requests that were refused: whoever has no key must not fill the disk. */
const refusalsEvery = 1_000;

/**
 * Logs who asked for what, by the template of the route: refused callers as warnings, what operators do as information,
 * everything else for debugging. Never a key, a path or a body.
 */
export function logRequests(app: NestFastifyApplication, log: Logger): void {
  let unsaid = 0;
  let silentUntil = 0;
  const refused = (fields: object): void => {
    const now = performance.now();
    if (now < silentUntil) {
      unsaid += 1;
      return;
    }
    silentUntil = now + refusalsEvery;
    log.warn({ ...fields, ...(unsaid > 0 && { unsaid }) }, 'a request was refused');
    unsaid = 0;
  };
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (request, reply, done) => {
      if (reply.statusCode === 401 || reply.statusCode === 403) refused(fieldsOf(request, reply));
      else if (isSteering(request)) log.info(fieldsOf(request, reply), 'a request of an operator was answered');
      else if (log.isLevelEnabled('debug')) log.debug(fieldsOf(request, reply), 'a request was answered');
      done();
    });
}

function isSteering({ method, routeOptions }: FastifyRequest): boolean {
  return method !== 'GET' && routeOptions.config.needs === 'operate';
}

function fieldsOf(
  { id, headers, method, routeOptions, caller }: FastifyRequest,
  { statusCode, elapsedTime }: FastifyReply,
) {
  return {
    requestId: id,
    traceId: traceIdOf(headers['traceparent']),
    ...(caller !== undefined && { caller: caller.name }),
    method,
    route: routeOptions.url ?? '(no route)',
    status: statusCode,
    milliseconds: Math.round(elapsedTime),
  };
}
