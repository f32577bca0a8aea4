import { Controller, Get, Inject, Query } from '@nestjs/common';
import { Needs, onlyParameters } from '#libs/http';
import { Activity, step, type RecentActivity } from '../activity/activity.js';
import { rfc3339 } from '../consumers.js';

export interface StatsView extends RecentActivity {
  /** RFC 3339: when this process began to count. */
  readonly countedSince: string;
  /** Seconds that a point covers. */
  readonly step: number;
}

/** What happened in the last minutes, as this process has seen it. */
@Controller()
export class StatsController {
  constructor(@Inject(Activity) private readonly activity: Activity) {}

  @Get('v1/stats')
  @Needs('operate')
  get(@Query() query: Record<string, unknown>): StatsView {
    onlyParameters(query);
    const { since } = this.activity;
    return { countedSince: rfc3339(since), step: step / 1_000, ...this.activity.lately(Date.now()) };
  }
}
