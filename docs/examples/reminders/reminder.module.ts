import { Module, type DynamicModule } from '@nestjs/common';
import { ReminderController } from './http/reminder.controller.js';
import { Reminders, type ReminderServices } from './http/reminders.js';

/** The reminders' API. */
@Module({})
export class ReminderModule {
  static with(services: ReminderServices): DynamicModule {
    return {
      module: ReminderModule,
      controllers: [ReminderController],
      providers: [{ provide: Reminders, useValue: new Reminders(services) }],
    };
  }
}
