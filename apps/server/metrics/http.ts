import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Histogram, type Registry } from 'prom-client';

/** What asked for no route there is. */
const noRoute = 'none';

/** Measures every request by the template of its route, such as `/v1/notifications/:id`. */
export function measureRequests(app: NestFastifyApplication, registry: Registry): void {
  const requests = new Histogram({
    name: 'tidings_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer, by the template of its route',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 20, 60],
    registers: [registry],
  });
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onResponse', (request, reply, done) => {
    const labels = { method: request.method, route: request.routeOptions.url ?? noRoute, status: reply.statusCode };
    requests.observe(labels, reply.elapsedTime / 1_000);
    done();
  });
}
