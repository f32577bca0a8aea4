import { Inject, Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import type { AcceptServices } from './http/accept.js';
import { ACCEPT_SERVICES, NotificationController } from './http/notification.controller.js';
import { NotificationQueries, type QueryServices } from './http/queries.js';

/** The notifications' API. */
@Module({})
export class NotificationModule implements OnModuleDestroy {
  constructor(@Inject(NotificationQueries) private readonly queries: NotificationQueries) {}

  static with(services: AcceptServices & QueryServices): DynamicModule {
    return {
      module: NotificationModule,
      controllers: [NotificationController],
      providers: [
        { provide: ACCEPT_SERVICES, useValue: services },
        { provide: NotificationQueries, useValue: new NotificationQueries(services) },
      ],
    };
  }

  /** Before the server waits for its requests to end: some of them wait themselves. */
  onModuleDestroy(): void {
    this.queries.stopWaiting();
  }
}
