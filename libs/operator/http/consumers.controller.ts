import { Body, Controller, Get, HttpCode, HttpStatus, Inject, Param, Post, Query } from '@nestjs/common';
import { conflict, Needs, noBody, onlyParameters, verb } from '#libs/http';
import { consumerCalled, consumerView, type ConsumerView } from '../consumers.js';
import { OPERATOR_SERVICES, type OperatorServices } from '../operator-services.js';

/** The consumers of this process. */
@Controller()
export class ConsumersController {
  constructor(@Inject(OPERATOR_SERVICES) private readonly services: OperatorServices) {}

  @Get('v1/consumers')
  @Needs('operate')
  async list(@Query() query: Record<string, unknown>): Promise<{ readonly items: readonly ConsumerView[] }> {
    onlyParameters(query);
    const { runtime, store } = this.services;
    const head = await store.head();
    return { items: runtime.status().map((status) => consumerView(status, head)) };
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
    const consumer = consumerCalled(name, runtime);
    const { state } = consumer.status();
    if (state === 'failed' || state === 'stopped') throw conflict(`${name} has stopped`, 'consumer-stopped');
    await consumer[how]();
    return consumerView(consumer.status(), await store.head());
  }
}
