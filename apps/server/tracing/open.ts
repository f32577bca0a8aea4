import type { Logger } from 'pino';
import type { Tracing } from '#libs/tracing';
import type { Settings } from '../settings/index.js';
import { version } from '../version.js';

/** The traces of this process; undefined where the settings name no collector. */
export async function openTracing(settings: Settings, log: Logger): Promise<Tracing | undefined> {
  const { otlpEndpoint, otlpTracesEndpoint, otlpHeaders, serviceName, tracesSampler, tracesRatio } = settings;
  const url = otlpTracesEndpoint ?? (otlpEndpoint && `${otlpEndpoint.replace(/\/+$/, '')}/v1/traces`);
  if (url === undefined) return undefined;
  // OpenTelemetry takes a while to load, and many installations do without.
  const { startTracing } = await import('#libs/tracing');
  return startTracing({
    url,
    headers: otlpHeaders ?? {},
    serviceName,
    serviceVersion: version(),
    sampler: tracesSampler,
    ratio: tracesRatio,
    log: {
      failing: (error) => log.warn({ error }, 'traces cannot be sent; what does not fit in memory is dropped'),
      recovered: () => log.info('traces are sent again'),
    },
  });
}
