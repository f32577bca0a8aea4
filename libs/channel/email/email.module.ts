import { Module, type DynamicModule } from '@nestjs/common';
import { EMAIL_QUERY_SERVICES, EmailController, type EmailQueryServices } from './http/email.controller.js';

/** The mails' API. */
@Module({})
export class EmailModule {
  static with(services: EmailQueryServices): DynamicModule {
    return {
      module: EmailModule,
      controllers: [EmailController],
      providers: [{ provide: EMAIL_QUERY_SERVICES, useValue: services }],
    };
  }
}
