import { Module, type DynamicModule } from '@nestjs/common';
import { BounceIntake } from './bounce/bounce-intake.js';
import { BounceController } from './http/bounce.controller.js';
import { EMAIL_QUERY_SERVICES, EmailController, type EmailQueryServices } from './http/email.controller.js';

/** What the mails' API is made from. */
export interface EmailServices extends EmailQueryServices {
  readonly intake: BounceIntake;
}

/** The mails' API. */
@Module({})
export class EmailModule {
  static with({ intake, ...queries }: EmailServices): DynamicModule {
    return {
      module: EmailModule,
      controllers: [EmailController, BounceController],
      providers: [
        { provide: EMAIL_QUERY_SERVICES, useValue: queries },
        { provide: BounceIntake, useValue: intake },
      ],
    };
  }
}
