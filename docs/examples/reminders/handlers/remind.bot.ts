import { deriveId, keyOf } from '#libs/kernel';
import { notificationInternalOperations } from '#libs/notification';
import { decideAndAppend, defineBot, inFlow, loadAggregate, runtimeTimers, type HandlerContext } from '#libs/runtime';
import { reminder, reminderEvents } from '../event/reminder.js';
import { reminderClientOperations, type Remind } from '../operations/client.js';

/** Purpose of the timer of every time but the first. */
const purpose = 'reminder.round';

type Context = HandlerContext<
  typeof reminderClientOperations | typeof reminderEvents | typeof runtimeTimers,
  typeof reminderEvents | typeof runtimeTimers | typeof notificationInternalOperations
>;

/** Asks for a notification at once, and then at each time, until the recipient is done. */
export const remindBot = defineBot({
  name: 'reminder.remind-bot',
  reads: [reminderClientOperations, runtimeTimers],
  looksUp: [reminderEvents],
  writes: [reminderEvents, runtimeTimers, notificationInternalOperations],
  create: (_services: unknown) => ({
    async handle(record, context) {
      const id = context.correlationId;
      if (record.type === 'reminder.remind.v1') {
        await remind(context, record.data, 1);
      } else if (record.type === 'reminder.finish.v1') {
        const loaded = await loadAggregate(context, reminderEvents, reminder, id);
        await decideAndAppend(context, reminderEvents, reminder, id, loaded, (state) =>
          reminder.decide(state, { type: 'finish' }),
        );
      } else if (record.type === 'runtime.timer-fired.v1' && record.data.purpose === purpose) {
        const [asked] = await context.read(reminderClientOperations, id);
        if (asked?.type === 'reminder.remind.v1') await remind(context, asked.data, roundOf(keyOf(record.stream)));
      }
    },
  }),
});

async function remind(context: Context, asked: Remind, round: number): Promise<void> {
  const id = context.correlationId;
  const { recipientId, subject, content, every, times } = asked;
  const notificationId = deriveId(id, 'reminder', round);
  const command = { type: 'remind', round, times, notificationId } as const;
  const loaded = await loadAggregate(context, reminderEvents, reminder, id);
  if (reminder.decide(loaded.state, command).length === 0) return;

  const rest = {
    category: 'reminder',
    severity: 'info',
    about: null,
    tags: {},
    deliverAt: null,
    expiresAt: null,
  } as const;
  const data = { recipientId, subject, content, ...rest };
  const asking = context.write(notificationInternalOperations, notificationId, 'noStream', [
    { type: 'notification.send.v1', data },
  ]);
  const dueAt = context.now() + every * 1_000;
  const scheduling = context.write(runtimeTimers, timerKey(id, round + 1), 'noStream', [
    { type: 'runtime.timer-scheduled.v1', data: { dueAt, purpose } },
  ]);
  // A notification is a flow of its own. What follows from the event comes before it: after a crash in between, the same
  // record makes the same appends again, which the store recognises. After the event, nobody would make them.
  await context.append(inFlow(asking, notificationId), ...(round < times ? [scheduling] : []));
  await decideAndAppend(context, reminderEvents, reminder, id, loaded, (state) => reminder.decide(state, command));
}

function timerKey(id: string, round: number): string {
  return `${id}.reminder-${round}`;
}

function roundOf(key: string): number {
  return Number(key.slice(key.lastIndexOf('-') + 1));
}
