import { Inject, Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import { BroadcastController } from './http/broadcast.controller.js';
import { BroadcastQueries, type QueryServices } from './http/queries.js';

/** The broadcasts' API. */
@Module({})
export class BroadcastModule implements OnModuleDestroy {
  constructor(@Inject(BroadcastQueries) private readonly queries: BroadcastQueries) {}

  static with(services: QueryServices): DynamicModule {
    return {
      module: BroadcastModule,
      controllers: [BroadcastController],
      providers: [{ provide: BroadcastQueries, useValue: new BroadcastQueries(services) }],
    };
  }

  /** Before the server waits for its requests to end: some of them wait themselves. */
  onModuleDestroy(): void {
    this.queries.stopWaiting();
  }
}
