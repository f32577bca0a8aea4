import { IsIn, IsInt, IsUUID, Min } from 'class-validator';
import { defineStream, type Decider, type MessageOf } from '#libs/kernel';
import { schemaOf } from '#libs/validation';

// 1. Stream: one a reminder, under its id. These names and shapes are the storage format.

export class Reminded {
  /** Which time it was, from 1. */
  @IsInt()
  @Min(1)
  round!: number;

  @IsUUID()
  notificationId!: string;
}

export const endings = ['finished', 'exhausted'] as const;
export type Ending = (typeof endings)[number];

export class ReminderEnded {
  @IsIn(endings)
  ending!: Ending;
}

export const reminderEvents = defineStream('reminder', 'event', {
  'reminder.reminded.v1': schemaOf(Reminded),
  'reminder.ended.v1': schemaOf(ReminderEnded),
});
export type ReminderEvent = MessageOf<typeof reminderEvents>;

// 2. State.

export interface ReminderState {
  /** How often it has reminded. */
  readonly rounds: number;
  readonly ending: Ending | null;
}

// 3. Commands and decisions. A command that has been decided before decides nothing: handlers repeat themselves.

export type ReminderCommand =
  | { readonly type: 'remind'; readonly round: number; readonly times: number; readonly notificationId: string }
  | { readonly type: 'finish' };

export const reminder: Decider<ReminderState, ReminderCommand, ReminderEvent> = {
  initial: () => ({ rounds: 0, ending: null }),

  evolve(state, event) {
    switch (event.type) {
      case 'reminder.reminded.v1':
        return { ...state, rounds: event.data.round };
      case 'reminder.ended.v1':
        return { ...state, ending: event.data.ending };
    }
  },

  decide({ rounds, ending }, command) {
    if (ending !== null) return [];
    switch (command.type) {
      case 'remind': {
        const { round, times, notificationId } = command;
        if (round !== rounds + 1) return [];
        const reminded: ReminderEvent = { type: 'reminder.reminded.v1', data: { round, notificationId } };
        return round < times ? [reminded] : [reminded, { type: 'reminder.ended.v1', data: { ending: 'exhausted' } }];
      }
      case 'finish':
        return [{ type: 'reminder.ended.v1', data: { ending: 'finished' } }];
    }
  },
};
