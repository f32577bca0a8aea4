import { Body, Controller, Get, HttpCode, HttpStatus, Inject, Param, Post } from '@nestjs/common';
import { Needs, noBody, notFound, validated, verb } from '#libs/http';
import { PostReminderDto } from './post-reminder.dto.js';
import { Reminders, type ReminderView } from './reminders.js';

export interface AcceptedReminder {
  readonly id: string;
  readonly href: string;
}

@Controller()
export class ReminderController {
  constructor(@Inject(Reminders) private readonly reminders: Reminders) {}

  @Post('v1/reminders')
  @Needs('notifications:write')
  @HttpCode(HttpStatus.ACCEPTED)
  async post(@Body(validated(PostReminderDto)) body: PostReminderDto): Promise<AcceptedReminder> {
    return accepted(await this.reminders.ask(body));
  }

  @Get('v1/reminders/:id')
  @Needs('notifications:read')
  async get(@Param('id') id: string): Promise<ReminderView> {
    const view = await this.reminders.get(id);
    if (view === undefined) throw notFound('there is no such reminder');
    return view;
  }

  /** Queued: a time that is under way is told. */
  @Post(verb('v1/reminders/:id', 'finish'))
  @Needs('notifications:write')
  @HttpCode(HttpStatus.ACCEPTED)
  async finish(@Param('id') id: string, @Body(noBody) _body: void): Promise<AcceptedReminder> {
    if (!(await this.reminders.finish(id))) throw notFound('there is no such reminder');
    return accepted(id);
  }
}

function accepted(id: string): AcceptedReminder {
  return { id, href: `/v1/reminders/${id}` };
}
