import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isStreamed } from './streamed-body.js';

/**
 * Limits how long a body may take to arrive, so that nobody keeps connections busy with bodies that never end. Streamed
 * bodies may be long: for them the server's own limit of a request is all there is.
 * @param limit milliseconds from the headers to the end of the body
 * @param refuse ends the connection, with an answer where there is none yet
 */
export function limitBodyTime(
  fastify: FastifyInstance,
  limit: number,
  refuse: (request: FastifyRequest, reply: FastifyReply) => void,
): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (hasBody(request) && !isStreamed(request)) {
      const { raw } = request;
      const timer = setTimeout(() => refuse(request, reply), limit).unref();
      const stop = (): void => clearTimeout(timer);
      raw.once('end', stop).once('close', stop);
    }
    done();
  });
}

/** That of a GET is never read: its end would not be seen. */
function hasBody({ method, headers }: FastifyRequest): boolean {
  if (method === 'GET' || method === 'HEAD') return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
