import { Controller, Get, Inject, Query } from '@nestjs/common';
import { invalid, Needs, notFound, onlyParameters, positionParameter, textParameter } from '#libs/http';
import { correlationOf } from '#libs/kernel';
import { rfc3339 } from '../consumers.js';
import { readHandling, type ConsumerHandling } from '../handling/read-handling.js';
import { OPERATOR_SERVICES, type OperatorServices } from '../operator-services.js';
import { findRecord } from '../records.js';

export interface HandlingView {
  readonly record: {
    readonly id: string;
    readonly type: string;
    readonly stream: string;
    readonly revision: number;
    readonly position: string;
    readonly occurredAt: string;
  };
  readonly correlationId: string;
  /** One for each consumer that reads the record's category. */
  readonly items: readonly ConsumerHandling[];
}

/** How a record was handled. */
@Controller()
export class HandlingController {
  constructor(@Inject(OPERATOR_SERVICES) private readonly services: OperatorServices) {}

  @Get('v1/handling')
  @Needs('operate')
  async get(@Query() query: Record<string, unknown>): Promise<HandlingView> {
    onlyParameters(query, 'stream', 'revision');
    const stream = required('stream', textParameter('stream', query['stream']));
    const revision = required('revision', positionParameter('revision', query['revision']));
    const record = await findRecord(this.services.store, stream, revision);
    if (record === undefined) throw notFound('there is no such record');
    const { id, type, position, created } = record;
    return {
      record: {
        id,
        type,
        stream,
        revision: Number(revision),
        position: String(position),
        occurredAt: rfc3339(created),
      },
      correlationId: correlationOf(record),
      items: await readHandling(this.services, record),
    };
  }
}

function required<Value>(path: string, value: Value | undefined): Value {
  if (value === undefined) throw invalid([{ path, message: 'is required' }]);
  return value;
}
