import type { Contents } from '#libs/content';
import { isUuid, newId } from '#libs/kernel';
import { recipientOwner } from '#libs/recipient';
import { loadAggregate, type ClientContext } from '#libs/runtime';
import { WrongExpectedRevision } from '#libs/store/port';
import type { Vault } from '#libs/vault';
import { reminder, reminderEvents, type Ending } from '../event/reminder.js';
import { reminderClientOperations } from '../operations/client.js';
import type { PostReminderDto } from './post-reminder.dto.js';

export interface ReminderServices {
  readonly client: ClientContext<
    typeof reminderClientOperations | typeof reminderEvents,
    typeof reminderClientOperations
  >;
  readonly vault: Vault;
  readonly contents: Contents;
}

/** A reminder as the API shows it. */
export interface ReminderView {
  readonly id: string;
  readonly status: 'active' | Ending;
  /** How often it has reminded so far. */
  readonly rounds: number;
}

/** Queued writes and reads of reminders. */
export class Reminders {
  constructor(private readonly services: ReminderServices) {}

  /** Durable before it resolves. @returns its id */
  async ask({ recipientId, subject, text, every, times }: PostReminderDto): Promise<string> {
    const { client, vault, contents } = this.services;
    const id = newId();
    const owner = recipientOwner(recipientId);
    const data = {
      recipientId,
      subject: await vault.sealFor(owner, 'subject', subject),
      content: await contents.seal(owner, `${id}-content`, { subject, text }),
      every,
      times,
    };
    const messages = [{ type: 'reminder.remind.v1', data }] as const;
    await client.append(reminderClientOperations, id, 'noStream', messages, { correlationId: id });
    return id;
  }

  /** Durable before it resolves; repeated, it adds nothing. False where there is no such reminder. */
  async finish(id: string): Promise<boolean> {
    if ((await this.get(id)) === undefined) return false;
    try {
      const messages = [{ type: 'reminder.finish.v1', data: {} }] as const;
      await this.services.client.append(reminderClientOperations, id, 0n, messages, { correlationId: id });
    } catch (error) {
      if (!(error instanceof WrongExpectedRevision)) throw error;
    }
    return true;
  }

  async get(id: string): Promise<ReminderView | undefined> {
    const { client } = this.services;
    if (!isUuid(id) || (await client.last(reminderClientOperations, id)) === undefined) return undefined;
    const { state } = await loadAggregate(client, reminderEvents, reminder, id);
    return { id, status: state.ending ?? 'active', rounds: state.rounds };
  }
}
