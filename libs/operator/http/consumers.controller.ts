import { Body, Controller, Get, HttpCode, HttpStatus, Inject, Param, Post, Query } from '@nestjs/common';
import { Needs, noBody, notFound, onlyParameters, verb } from '#libs/http';
import { consumerView, type ConsumerView } from '../consumers.js';
import { OPERATOR_SERVICES, type OperatorServices } from '../operator-services.js';

/** The consumers, of all processes that share the store. */
@Controller()
export class ConsumersController {
  constructor(@Inject(OPERATOR_SERVICES) private readonly services: OperatorServices) {}

  @Get('v1/consumers')
  @Needs('operate')
  async list(@Query() query: Record<string, unknown>): Promise<{ readonly items: readonly ConsumerView[] }> {
    onlyParameters(query);
    const { runtime, store } = this.services;
    const statuses = await runtime.oversight.statuses();
    const head = await store.head();
    return { items: statuses.map((status) => consumerView(status, head)) };
  }

  /** Answered when the pause is on disk. What the consumer has begun is finished. Repeated, it answers the same. */
  @Post(verb('v1/consumers/:name', 'pause'))
  @Needs('operate')
  @HttpCode(HttpStatus.OK)
  pause(@Param('name') name: string, @Body(noBody) _body: void): Promise<ConsumerView> {
    return this.turn(name, 'pause');
  }

  /** Answered when it is on disk. Repeated, it answers the same. */
  @Post(verb('v1/consumers/:name', 'resume'))
  @Needs('operate')
  @HttpCode(HttpStatus.OK)
  resume(@Param('name') name: string, @Body(noBody) _body: void): Promise<ConsumerView> {
    return this.turn(name, 'resume');
  }

  private async turn(name: string, how: 'pause' | 'resume'): Promise<ConsumerView> {
    const { runtime, store } = this.services;
    if (!runtime.oversight.knows(name)) throw notFound('there is no such consumer');
    const status = await runtime.oversight.turn(name, how);
    return consumerView(status, await store.head());
  }
}
