import { Controller, Get, Inject, Param } from '@nestjs/common';
import { Needs, notFound } from '#libs/http';
import type { StreamReader } from '#libs/runtime';
import { dailyCountsViews } from '../view/daily-counts.js';

/** Injection token of the client that reads the counts. */
export const DAILY_COUNTS_CLIENT = Symbol('daily counts client');

export type DailyCountsReader = StreamReader<typeof dailyCountsViews>;

export interface DailyCountsDto {
  readonly day: string;
  readonly counts: Readonly<Record<string, number>>;
}

@Controller('v1/daily-counts')
export class DailyCountsController {
  constructor(@Inject(DAILY_COUNTS_CLIENT) private readonly client: DailyCountsReader) {}

  /** @param day `2026-06-28`, in UTC */
  @Get(':day')
  @Needs('notifications:read')
  async get(@Param('day') day: string): Promise<DailyCountsDto> {
    const view = /^\d{4}-\d\d-\d\d$/.test(day) ? await this.client.last(dailyCountsViews, day) : undefined;
    if (view === undefined) throw notFound('nothing was asked for on such a day');
    return { day, counts: view.data.counts };
  }
}
