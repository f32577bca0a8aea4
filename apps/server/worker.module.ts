import { Module, type DynamicModule } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { HealthController, READINESS_CHECKS, type ReadinessCheck } from '#libs/http';
import { OperatorModule } from '#libs/operator';
import type { Runtime } from '#libs/runtime';
import { topology } from '#streams.config';
import { METRICS_REGISTRY, MetricsController } from './metrics/metrics.controller.js';
import type { Parts } from './parts.js';
import { rebuildableViews } from './views.js';

/** What a process without the role `api` answers: whether it is well, how it fares, and what its operators ask of it. */
@Module({})
export class WorkerModule {
  static with(
    parts: Parts,
    runtime: Runtime<never>,
    checks: readonly ReadinessCheck[],
    metrics: Registry,
  ): DynamicModule {
    const { store, vault, views } = parts;
    return {
      module: WorkerModule,
      imports: [
        OperatorModule.with({ runtime, topology, store, vault, versions: views, views: rebuildableViews(parts) }),
      ],
      controllers: [HealthController, MetricsController],
      providers: [
        { provide: READINESS_CHECKS, useValue: checks },
        { provide: METRICS_REGISTRY, useValue: metrics },
      ],
    };
  }
}
