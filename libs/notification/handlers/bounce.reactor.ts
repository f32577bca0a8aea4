import { emailEvents, type Sender } from '#libs/channel/email';
import type { RecordOf } from '#libs/kernel';
import { recipient, recipientEvents } from '#libs/recipient';
import { decideAndAppend, defineReactor, loadAggregate, type HandlerContext } from '#libs/runtime';
import { comparableEmailAddress } from '#libs/validation';
import { KeyDestroyed, type Vault } from '#libs/vault';
import { notificationEvents } from '../event/notification.js';
import { notificationInternalOperations } from '../operations/internal.js';
import { askForEscalation } from './ask-for-escalation.js';

export interface BounceReactorServices {
  readonly vault: Vault;
  /** Whom to tell of failures; undefined: nobody. */
  readonly teamEmail: Sender | undefined;
}

type Context = HandlerContext<
  typeof emailEvents | typeof notificationEvents | typeof recipientEvents | typeof notificationInternalOperations,
  typeof recipientEvents | typeof notificationInternalOperations
>;
type Bounced = Extract<RecordOf<typeof emailEvents>, { type: 'email.bounced.v1' }>;

/** There is no such mailbox. The others of this class are about the sender's address, or say that it is a good one. */
const noSuchAddress = /^5\.1\.(?:[0-4]|6|10)$/;

/**
 * A mail of a notification came back: marks the address of its recipient, where there is no such mailbox, and asks for the
 * team to be told. A mail to the team is of no notification, so nothing follows where that comes back.
 */
export const bounceReactor = defineReactor({
  name: 'notification.bounce-reactor',
  reads: [emailEvents],
  looksUp: [notificationEvents, recipientEvents, notificationInternalOperations],
  writes: [recipientEvents, notificationInternalOperations],
  create: ({ vault, teamEmail }: BounceReactorServices) => ({
    async handle(record, context) {
      if (record.type !== 'email.bounced.v1') return;
      const own = await context.read(notificationEvents, context.correlationId);
      const [requested] = own;
      if (requested?.type !== 'notification.requested.v1') return;
      if (noSuchAddress.test(record.data.status)) await mark(requested.data.recipientId, record, vault, context);
      if (teamEmail === undefined) return;
      // What the team is told is told in the notification once: after its end, or else after all that stands so far.
      const last = own.findLast(({ type }) => type !== 'notification.internal-team-notified.v1')!;
      const data = {
        reason: 'bounced' as const,
        codes: [`email ${record.data.status}`],
        failedAt: new Date(record.created).toISOString(),
        notificationRevision: String(last.revision),
      };
      await askForEscalation(data, context);
    },
  }),
});

/** Only where the address is still the one that the mail went to. To put the recipient since says that it is good. */
async function mark(recipientId: string, record: Bounced, vault: Vault, context: Context): Promise<void> {
  const { state, revision, position } = await loadAggregate(context, recipientEvents, recipient, recipientId);
  if (state.status !== 'known' || position === undefined || position > record.position) return;
  const address = state.profile.channels.email;
  if (address === undefined) return;
  try {
    const [current, bounced] = await Promise.all([vault.open(address), vault.open(record.data.address)]);
    if (comparableEmailAddress(current) !== comparableEmailAddress(bounced)) return;
  } catch (error) {
    if (error instanceof KeyDestroyed) return;
    throw error;
  }
  const { status } = record.data;
  const undeliverable = { channel: 'email' as const, address, status, at: new Date(record.created).toISOString() };
  await decideAndAppend(context, recipientEvents, recipient, recipientId, { state, revision }, (current) =>
    recipient.decide(current, { type: 'markUndeliverable', undeliverable }),
  );
}
