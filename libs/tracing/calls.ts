import { SpanKind, SpanStatusCode, type Attributes, type Span } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
} from '@opentelemetry/semantic-conventions';
import type { Spans } from './spans.js';
import { traceparentFor } from './trace-context.js';

/** Whom somebody calls. */
export interface CalledServer {
  readonly host: string;
  readonly port: number;
}

/** Calls of other systems, each with a span of its own where it is part of a trace. */
export class TracedCalls {
  constructor(private readonly spans: Spans) {}

  /**
   * A call that is no HTTP.
   * @param attributesOf what the span says of an error beside its type; nothing that somebody sent
   */
  async make<Result>(
    name: string,
    server: CalledServer,
    call: () => Promise<Result>,
    attributesOf: (error: unknown) => Attributes,
  ): Promise<Result> {
    const span = this.start(name, server, {});
    if (span === undefined) return call();
    return this.spans.within(span, async () => {
      try {
        return await call();
      } catch (error) {
        fail(span, attributesOf(error));
        throw error;
      }
    });
  }

  /**
   * `fetch`, with the trace passed on to whom it asks.
   * @param targetOf what is asked for, as a name there are few of; undefined where the path is one of many
   */
  fetch(targetOf: (url: URL) => string | undefined): typeof fetch {
    return async (input, init = {}) => {
      const url = new URL(input instanceof Request ? input.url : input);
      const method = init.method ?? 'GET';
      const target = targetOf(url);
      const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
      const span = this.start(
        target === undefined ? method : `${method} ${target}`,
        { host: url.hostname, port },
        { [ATTR_HTTP_REQUEST_METHOD]: method },
      );
      if (span === undefined) return fetch(input, init);
      const headers = new Headers(init.headers);
      headers.set('traceparent', traceparentFor(span.spanContext()));
      return this.spans.within(span, async () => {
        try {
          const response = await fetch(input, { ...init, headers });
          span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, response.status);
          if (response.status >= 400) fail(span, { [ATTR_ERROR_TYPE]: String(response.status) });
          return response;
        } catch (error) {
          fail(span, { [ATTR_ERROR_TYPE]: codeOf(error) });
          throw error;
        }
      });
    };
  }

  private start(name: string, { host, port }: CalledServer, more: Attributes): Span | undefined {
    const attributes = { [ATTR_SERVER_ADDRESS]: host, [ATTR_SERVER_PORT]: port, ...more };
    return this.spans.startBelow(name, { kind: SpanKind.CLIENT, attributes });
  }
}

function fail(span: Span, attributes: Attributes): void {
  span.setAttributes(attributes).setStatus({ code: SpanStatusCode.ERROR });
}

/** What `fetch` has to say of a failure stands in its cause. */
function codeOf(error: unknown): string {
  const { cause, name } = error as { readonly cause?: { readonly code?: unknown }; readonly name?: unknown };
  if (typeof cause?.code === 'string') return cause.code;
  return typeof name === 'string' ? name : '_OTHER';
}
