import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { routeConfig } from './access/index.js';
import { invalid, payloadTooLarge, unsupportedMediaType } from './problem.js';

const streamedType = 'application/octet-stream';

/** A route that takes a body of any type as it comes, with `readStreamedBody`. All others take JSON only. */
export function StreamedBody(): MethodDecorator {
  return routeConfig({ streamedBody: true });
}

/** Lets the bodies of streamed routes through unread. */
export function passStreamedBodies(fastify: FastifyInstance): void {
  // Parsers are chosen by media type alone: on these routes, JSON has to pass the parser for JSON by.
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (isStreamed(request)) request.headers = { 'content-type': streamedType };
    done();
  });
  fastify.addContentTypeParser(streamedType, (request, payload, done) => {
    if (isStreamed(request)) done(null, payload);
    else done(unsupportedMediaType());
  });
}

/** True for a request to a route with `StreamedBody`. */
export function isStreamed({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.config.streamedBody === true;
}

/**
 * The body as it comes. Resolves with its first bytes, so that nothing is begun for a request that has none. Where the
 * connection ends before the body does, reading it throws.
 * @param limit bytes; reading throws a problem 413 beyond it
 * @throws Problem 413 where the request says that there is more; 422 where there is nothing
 */
export async function readStreamedBody(request: FastifyRequest, limit: number): Promise<AsyncIterable<Buffer>> {
  if (Number(request.headers['content-length']) > limit) throw overLimit(limit);
  // Who stops reading still has an answer to send: the connection stays.
  const chunks = (request.body as IncomingMessage).iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  const first = await chunks.next();
  if (first.done) throw invalid([{ path: '', message: 'must have at least one byte' }]);
  return upTo(limit, first.value, { [Symbol.asyncIterator]: () => chunks });
}

async function* upTo(limit: number, first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let length = first.length;
  if (length > limit) throw overLimit(limit);
  yield first;
  for await (const chunk of rest) {
    length += chunk.length;
    if (length > limit) throw overLimit(limit);
    yield chunk;
  }
}

function overLimit(limit: number) {
  return payloadTooLarge(`the body is over the limit of ${limit} bytes`);
}
