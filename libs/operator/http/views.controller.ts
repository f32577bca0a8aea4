import { Body, Controller, Get, HttpCode, HttpStatus, Inject, Param, Post, Query } from '@nestjs/common';
import { Needs, noBody, notFound, onlyParameters, verb } from '#libs/http';
import type { RebuildableView, RebuildStatus, ViewStatus } from '#libs/runtime';
import { rfc3339 } from '../consumers.js';
import { OPERATOR_SERVICES, type OperatorServices } from '../operator-services.js';

/** A version of a view that is being built. */
export interface RebuildView {
  readonly version: number;
  readonly startedAt: string;
  /** Position up to which everything is in. */
  readonly done: number;
  /** Position up to which there is something. */
  readonly total: number;
  /** Replayed so far. */
  readonly records: number;
  /** Records a second since the start. */
  readonly rate: number;
  /** Why it cannot go on, until it tries again. */
  readonly error: string | null;
}

/** Something that is made from records alone. Times are RFC 3339. */
export interface ViewView {
  readonly name: string;
  readonly state: 'serving' | 'rebuilding';
  /** The one that serves. */
  readonly version: number;
  /** Null: from the beginning, or that is not known. */
  readonly servingSince: string | null;
  readonly rebuild: RebuildView | null;
}

/** Views and the query index, and making them anew. */
@Controller()
export class ViewsController {
  constructor(@Inject(OPERATOR_SERVICES) private readonly services: OperatorServices) {}

  @Get('v1/views')
  @Needs('operate')
  async list(@Query() query: Record<string, unknown>): Promise<{ readonly items: readonly ViewView[] }> {
    onlyParameters(query);
    const statuses = await Promise.all(this.services.views.map((view) => view.status()));
    return { items: statuses.map(viewView) };
  }

  @Get('v1/views/:name')
  @Needs('operate')
  async get(@Param('name') name: string, @Query() query: Record<string, unknown>): Promise<ViewView> {
    onlyParameters(query);
    return viewView(await this.called(name).status());
  }

  /** Answered when the request is on disk. While one is built already, that one is answered. */
  @Post(verb('v1/views/:name', 'rebuild'))
  @Needs('operate')
  @HttpCode(HttpStatus.ACCEPTED)
  async rebuild(@Param('name') name: string, @Body(noBody) _body: void): Promise<ViewView> {
    return viewView(await this.called(name).rebuild());
  }

  /** Gives up the version that is being built. Where none is, nothing changes. */
  @Post(verb('v1/views/:name', 'cancel'))
  @Needs('operate')
  @HttpCode(HttpStatus.OK)
  async cancel(@Param('name') name: string, @Body(noBody) _body: void): Promise<ViewView> {
    return viewView(await this.called(name).cancel());
  }

  private called(name: string): RebuildableView {
    const view = this.services.views.find((one) => one.name === name);
    if (view === undefined) throw notFound('there is no such view');
    return view;
  }
}

function viewView({ name, version, servingSince, rebuild }: ViewStatus): ViewView {
  return {
    name,
    state: rebuild === undefined ? 'serving' : 'rebuilding',
    version,
    servingSince: servingSince === undefined ? null : rfc3339(servingSince),
    rebuild: rebuild === undefined ? null : rebuildView(rebuild),
  };
}

function rebuildView({ version, startedAt, done, total, records, rate, error }: RebuildStatus): RebuildView {
  return {
    version,
    startedAt: rfc3339(startedAt),
    done: Number(done),
    total: Number(total),
    records,
    rate,
    error: error ?? null,
  };
}
