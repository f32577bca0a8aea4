import type { LoggerService, LogLevel } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Authenticator } from '#libs/access';
import { newId } from '#libs/kernel';
import { guard, keepNeeds } from './access/index.js';
import { limitBodyTime } from './body-time.js';
import { parseJsonBody } from './json-body.js';
import { Problem, problemMediaType } from './problem.js';
import { ProblemFilter, sendRouterError } from './problem.filter.js';
import { passStreamedBodies } from './streamed-body.js';

export interface HttpAppOptions {
  /** Bytes of a JSON body. Default 8 MiB. */
  readonly bodyLimit?: number;
  /** How long a JSON body may take to arrive, in milliseconds. Default a minute. */
  readonly bodyTime?: number;
  /** How long `close()` waits for requests under way before it drops their connections, in milliseconds. Default 10 s. */
  readonly closeGrace?: number;
  /** Who is let in: every route needs what it declares. Left out: everybody, everywhere. */
  readonly authenticator?: Authenticator | undefined;
  /** Nest's logger, its levels, or false for silence. Default Nest's own. */
  readonly logger?: LoggerService | LogLevel[] | false;
}

type Module = Parameters<typeof NestFactory.create>[0];

/**
 * A Nest application on Fastify that takes JSON bodies only, but for routes with `StreamedBody`, and answers every error as a problem document. It does not
 * listen yet. Paths are as the controllers have them; a known path asked with another method is a 404.
 *
 * `close()` stops accepting connections, drops idle ones and lets running requests finish. Nest runs
 * `onModuleDestroy` and `beforeApplicationShutdown` before that and `onApplicationShutdown` after it: what requests
 * need is closed in `onApplicationShutdown`. Nest middleware is not available.
 */
export async function createHttpApp(
  module: Module,
  { bodyLimit = 8 * 1024 * 1024, bodyTime = 60_000, closeGrace = 10_000, authenticator, logger }: HttpAppOptions = {},
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit,
    trustProxy: false,
    requestIdHeader: false,
    genReqId: () => newId(),
    // An id of 200 characters is at most 600 bytes, each three characters when percent-encoded.
    routerOptions: { maxParamLength: 1_800 },
    // Also of an upload on a slow line; other bodies have `bodyTime`.
    requestTimeout: 900_000,
    keepAliveTimeout: 72_000,
    http: { headersTimeout: 15_000 },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: (error: FastifyError, _request: unknown, reply: FastifyReply) => sendRouterError(error, reply),
    clientErrorHandler: answerClientError,
    // Nothing here uses middleware, and its engine would cost time on every request.
    skipMiddie: true,
  });
  const fastify = adapter.getInstance();
  closeConnectionsAfterUse(fastify);
  fastify.addHook('preClose', (done) => {
    // A client that never finishes its request must not keep the server from ending.
    setTimeout(() => fastify.server.closeAllConnections(), closeGrace).unref();
    done();
  });
  fastify.removeAllContentTypeParsers();
  keepNeeds(fastify);
  fastify.decorateRequest('caller', undefined);
  passStreamedBodies(fastify);
  limitBodyTime(fastify, bodyTime, refuseSlowBody);
  if (authenticator !== undefined) guard(fastify, authenticator);
  for (const type of ['application/json', /^application\/[\w.+-]+\+json(?:;|$)/]) {
    fastify.addContentTypeParser<Buffer>(type, { parseAs: 'buffer' }, (_request, body, done) => {
      try {
        done(null, parseJsonBody(body));
      } catch (error) {
        done(error as Error);
      }
    });
  }
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    bodyParser: false,
    abortOnError: false,
    ...(logger !== undefined && { logger }),
  });
  app.useGlobalFilters(new ProblemFilter());
  return app;
}

/** Closing drops the connections that are idle then; this drops the others once they have had their answer. */
function closeConnectionsAfterUse(fastify: FastifyInstance): void {
  let closing = false;
  fastify.addHook('preClose', (done) => {
    closing = true;
    done();
  });
  fastify.addHook('onResponse', (_request, _reply, done) => {
    if (closing) setImmediate(() => fastify.server.closeIdleConnections());
    done();
  });
}

function refuseSlowBody({ raw }: FastifyRequest, reply: FastifyReply): void {
  const error = Object.assign(new Error('the body took too long'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
  if (reply.raw.headersSent) raw.socket.destroy();
  else answerClientError(error, raw.socket);
}

/** Answers what is no HTTP request at all, for which there are no request and reply objects. */
function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { document } = problemOfClientError(error.code);
  const body = JSON.stringify(document);
  const head = [
    `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status]}`,
    `Content-Type: ${problemMediaType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function problemOfClientError(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Problem('headers-too-large', 'the headers are over the limit of this server');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Problem('request-timeout', 'the request did not arrive in time');
  return new Problem('malformed-request', 'this is not an HTTP request');
}
