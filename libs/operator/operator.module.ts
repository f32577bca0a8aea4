import { Inject, Module, type DynamicModule, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { LiveFeed } from '#libs/runtime';
import { Activity } from './activity/activity.js';
import { ConsumersController } from './http/consumers.controller.js';
import { HandlingController } from './http/handling.controller.js';
import { MembersController } from './http/members.controller.js';
import { ParkedController } from './http/parked.controller.js';
import { StatsController } from './http/stats.controller.js';
import { StreamsController } from './http/streams.controller.js';
import { ViewsController } from './http/views.controller.js';
import { OPERATOR_SERVICES, type OperatorServices } from './operator-services.js';

/** The operators' API: streams, consumers, parked records, and how records were handled. */
@Module({})
export class OperatorModule implements OnModuleInit, OnModuleDestroy {
  constructor(
    @Inject(Activity) private readonly activity: Activity,
    @Inject(LiveFeed) private readonly feed: LiveFeed,
  ) {}

  static with(services: OperatorServices): DynamicModule {
    const streams = services.topology.streams.map(({ stream }) => stream);
    return {
      module: OperatorModule,
      controllers: [
        ConsumersController,
        MembersController,
        ParkedController,
        HandlingController,
        StreamsController,
        StatsController,
        ViewsController,
      ],
      providers: [
        { provide: OPERATOR_SERVICES, useValue: services },
        { provide: Activity, useValue: new Activity(Date.now()) },
        { provide: LiveFeed, useValue: new LiveFeed(services.store, streams) },
      ],
    };
  }

  async onModuleInit(): Promise<void> {
    this.feed.records.subscribe((record) => this.activity.count(record));
    await this.feed.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.feed.stop();
  }
}
