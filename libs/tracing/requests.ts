import { SpanKind, SpanStatusCode, type Span } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_URL_SCHEME,
} from '@opentelemetry/semantic-conventions';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Spans } from './spans.js';
import { spanContextOf, traceparentFor } from './trace-context.js';

const looking: readonly string[] = ['GET', 'HEAD'];

/**
 * A span for each request to the API that may change something, and for each whose client names a span that it is to be
 * below; whoever only looks, again and again, begins no traces. Path and query are not in it: they hold ids and addresses.
 * To be called before the server listens.
 */
export function traceRequests(fastify: FastifyInstance, spans: Spans): void {
  const underWay = new WeakMap<FastifyRequest, Span>();
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { method, headers, routeOptions, raw } = request;
    const route = routeOptions.url;
    const parent = spanContextOf(headers['traceparent']);
    if (route?.startsWith('/v1/') && (parent !== undefined || !looking.includes(method))) {
      const attributes = {
        [ATTR_HTTP_REQUEST_METHOD]: method,
        [ATTR_HTTP_ROUTE]: route,
        [ATTR_URL_SCHEME]: 'http',
        [ATTR_NETWORK_PROTOCOL_VERSION]: raw.httpVersion,
      };
      const span = spans.start(`${method} ${route}`, { kind: SpanKind.SERVER, attributes }, parent);
      // What is appended for this request belongs below it.
      if (span.isRecording()) headers['traceparent'] = traceparentFor(span.spanContext());
      underWay.set(request, span);
    }
    done();
  });
  // Not sooner: what reads the body does so in the connection's context.
  fastify.addHook('preHandler', (request, _reply, done) => {
    const span = underWay.get(request);
    if (span === undefined) done();
    else spans.enter(span, done);
  });
  fastify.addHook('onResponse', (request, { statusCode }, done) => {
    const span = underWay.get(request);
    span?.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, statusCode);
    if (statusCode >= 500) {
      span?.setAttribute(ATTR_ERROR_TYPE, String(statusCode)).setStatus({ code: SpanStatusCode.ERROR });
    }
    span?.end();
    done();
  });
}
