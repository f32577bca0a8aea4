import { setTimeout as delay } from 'node:timers/promises';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { FastifyInstance } from 'fastify';
import type { StreamDefinition } from '#libs/kernel';
import type { ClientContext, WorkTrace } from '#libs/runtime';
import { TracedCalls } from './calls.js';
import { traceClient } from './client.js';
import { ReportingExporter, type ExportLog } from './exporter.js';
import { traceRequests } from './requests.js';
import { createSampler, type SamplerName } from './sampler.js';
import { Spans } from './spans.js';
import { traceWork } from './work.js';

export interface TracingOptions {
  /** Where the collector takes traces: OTLP over HTTP, in JSON. */
  readonly url: string;
  /** Sent to the collector; they may hold secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly serviceVersion: string;
  readonly sampler: SamplerName;
  /** See `createSampler`. */
  readonly ratio: number;
  readonly log: ExportLog;
}

/** The traces of this process. */
export interface Tracing {
  /** For the consumers. */
  readonly work: WorkTrace;
  /** For what calls other systems. */
  readonly calls: TracedCalls;
  /** For what requests are answered with. */
  client<Readable extends StreamDefinition, Writable extends StreamDefinition>(
    client: ClientContext<Readable, Writable>,
  ): ClientContext<Readable, Writable>;
  /** Traces the requests to a server that does not listen yet. */
  requests(fastify: FastifyInstance): void;
  /** Sends what there is, for a while at most. */
  stop(): Promise<void>;
}

/** Longest time to send what is left, in milliseconds. */
const patience = 5_000;

/**
 * Begins to send traces. Everything that OpenTelemetry's variables say beside the options – the size of batches and of the
 * queue, time limits, further attributes – is read from the environment of the process. What does not fit in the queue
 * because the collector is away or too slow is dropped.
 */
export function startTracing(options: TracingOptions): Tracing {
  const { url, headers, serviceName, serviceVersion } = options;
  const exporter = new ReportingExporter(new OTLPTraceExporter({ url, headers: { ...headers } }), options.log);
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(detectResources({ detectors: [envDetector, serviceInstanceIdDetector] }))
      .merge(resourceFromAttributes({ [ATTR_SERVICE_NAME]: serviceName, [ATTR_SERVICE_VERSION]: serviceVersion })),
    sampler: createSampler(options.sampler, options.ratio),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const spans = new Spans(provider.getTracer('tidings', serviceVersion));
  return {
    work: traceWork(spans),
    calls: new TracedCalls(spans),
    client: (client) => traceClient(spans, client),
    requests: (fastify) => traceRequests(fastify, spans),
    async stop() {
      exporter.close();
      // What could not be sent has been told of.
      const sent = provider.shutdown().catch(() => undefined);
      await Promise.race([sent, delay(patience, undefined, { ref: false })]);
    },
  };
}
