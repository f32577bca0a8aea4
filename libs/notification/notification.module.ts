import { Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import type { AcceptServices } from './http/accept.js';
import { ACCEPT_SERVICES, NotificationController } from './http/notification.controller.js';
import { NotificationQueries, type QueryServices } from './http/queries.js';

/** The notifications' API. */
@Module({})
export class NotificationModule implements OnApplicationShutdown {
  constructor(private readonly queries: NotificationQueries) {}

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

  onApplicationShutdown(): void {
    this.queries.stop();
  }
}
