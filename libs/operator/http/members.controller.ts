import { Controller, Get, Inject, Query } from '@nestjs/common';
import { Needs, onlyParameters } from '#libs/http';
import type { HandlerGroup, Slot } from '#libs/runtime';
import { OPERATOR_SERVICES, type OperatorServices } from '../operator-services.js';

/** A process that shares the store. */
export interface MemberView {
  readonly id: string;
  /** It is the one that answers. */
  readonly self: boolean;
  readonly roles: readonly HandlerGroup[];
  /** What it does: a role and a partition each. */
  readonly slots: readonly Slot[];
}

export interface MembersView {
  /** Into how many partitions the flows are split. */
  readonly partitions: number;
  /** None where this process has the store alone. */
  readonly items: readonly MemberView[];
}

/** The processes that share the store, as this one knows them. */
@Controller()
export class MembersController {
  constructor(@Inject(OPERATOR_SERVICES) private readonly services: OperatorServices) {}

  @Get('v1/members')
  @Needs('operate')
  get(@Query() query: Record<string, unknown>): MembersView {
    onlyParameters(query);
    const { runtime } = this.services;
    const { me, members } = runtime.sharing() ?? { me: undefined, members: [] };
    const items = members.map(({ id, groups, slots }) => ({ id, self: id === me, roles: groups, slots }));
    return { partitions: runtime.partitions, items };
  }
}
