import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import {
  cursorOf,
  limitParameter,
  Needs,
  notFound,
  onlyParameters,
  placeOf,
  textParameter,
  waitParameter,
} from '#libs/http';
import { BroadcastQueries, type MemberItem, type ServedBroadcast } from './queries.js';

interface MemberList {
  readonly items: readonly MemberItem[];
  readonly nextCursor: string | null;
}

/** What became of broadcasts; they are posted as notifications to several recipients. */
@Controller('v1/broadcasts')
export class BroadcastController {
  constructor(@Inject(BroadcastQueries) private readonly queries: BroadcastQueries) {}

  @Get(':id')
  @Needs('broadcasts:read')
  async get(@Param('id') id: string, @Query() query: Record<string, unknown>): Promise<ServedBroadcast> {
    onlyParameters(query, 'wait');
    const view = await this.queries.view(id, waitParameter(query['wait']));
    if (view === undefined) throw notFound('there is no such broadcast');
    return view;
  }

  /** The notifications of the members, in the order in which they are told. */
  @Get(':id/notifications')
  @Needs('broadcasts:read')
  async notifications(@Param('id') id: string, @Query() query: Record<string, unknown>): Promise<MemberList> {
    onlyParameters(query, 'cursor', 'limit');
    const cursor = textParameter('cursor', query['cursor']);
    const from = cursor === undefined ? 0 : placeOf(cursor, ordinalOf);
    const page = await this.queries.notifications(id, from, limitParameter(query['limit']));
    if (page === undefined) throw notFound('there is no such broadcast');
    return { items: page.items, nextCursor: page.next === undefined ? null : cursorOf(page.next) };
  }
}

function ordinalOf(place: string): number | undefined {
  return /^\d{1,15}$/.test(place) ? Number(place) : undefined;
}
