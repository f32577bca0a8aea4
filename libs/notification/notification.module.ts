import { Inject, Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import { OpenStreams } from '#libs/http';
import type { AcceptServices } from './http/accept.js';
import { BatchController } from './http/batch.controller.js';
import { BROADCASTS, type Broadcasts } from './http/broadcasts.js';
import { CancelController } from './http/cancel.controller.js';
import { CONTENT_SERVICES, ContentController } from './http/content.controller.js';
import { ACCEPT_SERVICES, NotificationController } from './http/notification.controller.js';
import { NotificationQueries, type QueryServices } from './http/queries.js';
import { NotificationViewController } from './http/view.controller.js';

/** The notifications' API. */
@Module({})
export class NotificationModule implements OnModuleDestroy {
  constructor(
    @Inject(NotificationQueries) private readonly queries: NotificationQueries,
    @Inject(OpenStreams) private readonly streams: OpenStreams,
  ) {}

  static with(services: AcceptServices & QueryServices & { readonly broadcasts: Broadcasts }): DynamicModule {
    return {
      module: NotificationModule,
      controllers: [
        NotificationController,
        NotificationViewController,
        ContentController,
        CancelController,
        BatchController,
      ],
      providers: [
        { provide: ACCEPT_SERVICES, useValue: services },
        { provide: CONTENT_SERVICES, useValue: services },
        { provide: BROADCASTS, useValue: services.broadcasts },
        { provide: NotificationQueries, useValue: new NotificationQueries(services) },
        { provide: OpenStreams, useValue: new OpenStreams() },
      ],
    };
  }

  /** Before the server waits for its requests to end: some of them wait themselves. */
  onModuleDestroy(): void {
    this.queries.stopWaiting();
    this.streams.drain();
  }
}
