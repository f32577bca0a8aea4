import { Module, type DynamicModule } from '@nestjs/common';
import { SLACK_QUERY_SERVICES, SlackController, type SlackQueryServices } from './http/slack.controller.js';

/** The Slack messages' API. */
@Module({})
export class SlackModule {
  static with(services: SlackQueryServices): DynamicModule {
    return {
      module: SlackModule,
      controllers: [SlackController],
      providers: [{ provide: SLACK_QUERY_SERVICES, useValue: services }],
    };
  }
}
