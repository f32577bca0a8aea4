import { Module, type DynamicModule } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { EraseRecipientHandler, GetRecipientHandler, PutRecipientHandler } from './http/commands.js';
import { RecipientController } from './http/recipient.controller.js';
import { Recipients, type RecipientServices } from './http/recipients.js';

/** The recipients' API. */
@Module({})
export class RecipientModule {
  static with(services: RecipientServices): DynamicModule {
    return {
      module: RecipientModule,
      imports: [CqrsModule.forRoot()],
      controllers: [RecipientController],
      providers: [
        { provide: Recipients, useValue: new Recipients(services) },
        PutRecipientHandler,
        EraseRecipientHandler,
        GetRecipientHandler,
      ],
    };
  }
}
