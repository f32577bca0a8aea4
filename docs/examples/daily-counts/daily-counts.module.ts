import { Module, type DynamicModule } from '@nestjs/common';
import { DAILY_COUNTS_CLIENT, DailyCountsController, type DailyCountsReader } from './http/daily-counts.controller.js';

/** The counts' API. */
@Module({})
export class DailyCountsModule {
  static with(client: DailyCountsReader): DynamicModule {
    return {
      module: DailyCountsModule,
      controllers: [DailyCountsController],
      providers: [{ provide: DAILY_COUNTS_CLIENT, useValue: client }],
    };
  }
}
