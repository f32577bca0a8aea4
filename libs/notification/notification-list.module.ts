import { Inject, Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import { OpenStreams } from '#libs/http';
import { CatchUp } from '#libs/query-index';
import { EmailListController, SlackListController } from './http/list-operations.controller.js';
import { NotificationListController } from './http/list.controller.js';
import { NotificationLists, type ListServices } from './list/lists.js';
import { LiveLists, type LiveListServices } from './list/live-list.js';

/** The lists' API: of notifications, mails and Slack messages. */
@Module({})
export class NotificationListModule implements OnModuleDestroy {
  constructor(
    @Inject(CatchUp) private readonly catchUp: CatchUp,
    @Inject(OpenStreams) private readonly streams: OpenStreams,
  ) {}

  static with(services: ListServices & LiveListServices & { readonly catchUp: CatchUp }): DynamicModule {
    return {
      module: NotificationListModule,
      controllers: [NotificationListController, EmailListController, SlackListController],
      providers: [
        { provide: NotificationLists, useValue: new NotificationLists(services) },
        { provide: LiveLists, useValue: new LiveLists(services) },
        { provide: OpenStreams, useValue: new OpenStreams() },
        { provide: CatchUp, useValue: services.catchUp },
      ],
    };
  }

  /** Before the server waits for its requests to end: some of them wait themselves. */
  onModuleDestroy(): void {
    this.catchUp.stop();
    this.streams.drain();
  }
}
