import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  blankProblem,
  internal,
  malformedRequest,
  notFound,
  payloadTooLarge,
  Problem,
  problemMediaType,
  problemOf,
  unsupportedMediaType,
  type ProblemDocument,
} from './problem.js';
import { traceIdOf } from './traceparent.js';

/** Bytes of a body over the limit that are read and thrown away before the answer. */
const maxDrained = 64 * 1024 * 1024;

/**
 * Answers every error as a problem document: problems as they are, errors of the kernel, the store, Nest and Fastify by
 * what they mean, and any other as a 500 that tells nothing. What is our fault is logged, once, under the request's id.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('http');

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const answer = toAnswer(thrown, request);
    if (answer.document.status >= 500) this.log(thrown, request);
    if (reply.sent || reply.raw.headersSent) {
      // Half an answer is out: a broken connection is the only way left to say that it failed.
      reply.raw.destroy();
    } else if (answer.document.status === 413 || answer.document.status === 503) {
      drain(request, () => send(reply, answer));
    } else {
      send(reply, answer);
    }
  }

  private log(thrown: unknown, request: FastifyRequest): void {
    const stack = thrown instanceof Error ? thrown.stack : String(thrown);
    const { id: requestId, method, routeOptions, headers, caller } = request;
    const asked = { method, route: routeOptions.url, traceId: traceIdOf(headers['traceparent']), caller: caller?.name };
    this.logger.error({ message: 'a request failed', requestId, ...asked }, stack);
  }
}

interface Answer {
  readonly document: ProblemDocument;
  readonly retryAfter?: number | undefined;
}

function toAnswer(thrown: unknown, { id, raw }: FastifyRequest): Answer {
  const known = problemOf(thrown);
  if (known) return known;
  // Nobody is left to read this answer; it keeps what is no fault of ours out of the log.
  if (raw.destroyed && !raw.complete) return malformedRequest('the connection ended before the body did');
  if (thrown instanceof HttpException && thrown.getStatus() < 500) return problemOfHttp(thrown);
  return internal(id);
}

/** Nest wraps what Fastify throws: the code is in the cause. */
function problemOfHttp(thrown: HttpException): Answer {
  const code = (thrown.cause as { code?: unknown } | undefined)?.code;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return payloadTooLarge('the body is over the limit of this server');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return unsupportedMediaType();
  if (code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH')
    return malformedRequest('the body is not as long as its Content-Length');
  if (thrown.getStatus() === 404) return notFound('no route for this method and path');
  if (thrown.getStatus() === 400) return malformedRequest('the request cannot be read');
  return { document: blankProblem(thrown.getStatus()) };
}

function send(reply: FastifyReply, { document, retryAfter }: Answer): void {
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  sendProblem(reply, document);
}

/** Sends the body as bytes: Fastify adds a charset to texts, and JSON has none. */
export function sendProblem(reply: FastifyReply, document: ProblemDocument): void {
  void reply
    .code(document.status)
    .header('content-type', problemMediaType)
    .send(Buffer.from(JSON.stringify(document)));
}

/** A client that is still sending would see its connection reset instead of the answer. */
function drain({ raw }: FastifyRequest, done: () => void): void {
  let left = maxDrained;
  const finish = (): void => {
    raw.off('data', count).off('end', finish).off('close', finish);
    done();
  };
  const count = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left < 0) finish();
  };
  if (raw.readableEnded || raw.destroyed) return done();
  // Whoever was taking the body piece by piece takes no more, and would hold up the rest.
  raw.removeAllListeners('readable');
  raw.on('data', count).once('end', finish).once('close', finish);
}

/** The problem that Fastify's router has found before there was a route: a broken escape or an over-long parameter. */
export function sendRouterError(error: { readonly code: string }, reply: FastifyReply): void {
  const tooLong = error.code === 'FST_ERR_MAX_PARAM_LENGTH';
  const problem = tooLong
    ? new Problem('uri-too-long', 'a part of the path is too long')
    : malformedRequest('the path is not a valid URL path');
  sendProblem(reply, problem.document);
}
