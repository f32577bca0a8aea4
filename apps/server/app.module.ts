import { Module, type DynamicModule } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { AuditModule } from '#libs/audit';
import { BroadcastAcceptor, broadcastClient, BroadcastModule } from '#libs/broadcast';
import { EmailModule, emailClient, type BounceIntake } from '#libs/channel/email';
import { SlackModule, slackClient } from '#libs/channel/slack';
import { groupClient, GroupModule } from '#libs/group';
import { HealthController, READINESS_CHECKS, type ReadinessCheck } from '#libs/http';
import {
  notificationClient,
  notificationListClient,
  NotificationListModule,
  NotificationModule,
} from '#libs/notification';
import { OperatorModule } from '#libs/operator';
import { recipientClient, RecipientModule } from '#libs/recipient';
import { openClient, type Runtime } from '#libs/runtime';
import type { Tracing } from '#libs/tracing';
import { topology } from '#streams.config';
import { uploadClient, UploadModule } from '#libs/upload';
import { DocumentationController } from './documentation/documentation.controller.js';
import type { Lists } from './lists.js';
import { rebuildableViews } from './views.js';
import { METRICS_REGISTRY, MetricsController } from './metrics/metrics.controller.js';
import type { Parts } from './parts.js';

/** The API: the modules of all subsystems, each with its own way into the store. */
@Module({})
export class AppModule {
  static with(
    parts: Parts,
    lists: Lists,
    runtime: Runtime<never>,
    checks: readonly ReadinessCheck[],
    metrics: Registry,
    intake: BounceIntake,
    tracing: Tracing | undefined,
  ): DynamicModule {
    const { store, vault, blobs, contents, feed, views, uploadLimit } = parts;
    const traced: Tracing['client'] = tracing?.client ?? ((client) => client);
    const broadcasts = traced(openClient(store, broadcastClient, views));
    return {
      module: AppModule,
      imports: [
        RecipientModule.with({ client: traced(openClient(store, recipientClient)), vault, blobs }),
        GroupModule.with({ client: traced(openClient(store, groupClient)) }),
        NotificationModule.with({
          client: traced(openClient(store, notificationClient, views)),
          vault,
          blobs,
          contents,
          feed,
          broadcasts: new BroadcastAcceptor({ client: broadcasts, vault, blobs, contents }),
        }),
        NotificationListModule.with({
          ...lists,
          store,
          client: openClient(store, notificationListClient, views),
          vault,
        }),
        BroadcastModule.with({ client: broadcasts, vault, feed }),
        UploadModule.with({ client: traced(openClient(store, uploadClient)), vault, blobs, uploadLimit }),
        EmailModule.with({ client: openClient(store, emailClient), blobs, intake }),
        SlackModule.with({ client: openClient(store, slackClient), blobs }),
        OperatorModule.with({
          runtime,
          topology,
          store,
          vault,
          versions: views,
          views: rebuildableViews(parts, lists),
        }),
        AuditModule.with({ store, topology, vault }),
      ],
      controllers: [HealthController, MetricsController, DocumentationController],
      providers: [
        { provide: READINESS_CHECKS, useValue: checks },
        { provide: METRICS_REGISTRY, useValue: metrics },
      ],
    };
  }
}
