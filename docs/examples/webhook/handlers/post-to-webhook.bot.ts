import type { Contents } from '#libs/content';
import { keyOf, messageOf, type RecordOf } from '#libs/kernel';
import { defineBot, runEffect, type Attempt } from '#libs/runtime';
import { KeyDestroyed, SealBroken, type Sealed, type Vault } from '#libs/vault';
import { webhookEffectTypes, webhookEvents, type WebhookFailureReport } from '../event/webhook-events.js';
import { webhookOperations } from '../operations/webhook-operations.js';
import { WebhookFailure, type Webhook, type WebhookMessage } from '../transport/webhook.js';

export interface WebhookServices {
  readonly webhook: Webhook;
  readonly contents: Contents;
  readonly vault: Vault;
  /** Waits between attempts, in milliseconds; the last one repeats until the operation's time is over. */
  readonly webhookRetryDelays: readonly number[];
}

/** Posts messages: claim, POST, outcome. */
export const postToWebhookBot = defineBot({
  name: 'webhook.post-bot',
  reads: [webhookOperations],
  looksUp: [webhookEvents],
  writes: [webhookEvents],
  concurrency: 32,
  create: (services: WebhookServices) => ({
    async handle(record, context) {
      const { notAfter, delivery } = record.data;
      await runEffect({
        context,
        stream: webhookEvents,
        key: keyOf(record.stream),
        types: webhookEffectTypes,
        notAfter: Date.parse(notAfter),
        delivery,
        delays: services.webhookRetryDelays,
        perform: () => attempt(services, record),
      });
    },
  }),
});

type Operation = RecordOf<typeof webhookOperations>;

/** Never rejects: what goes wrong is an outcome, too. */
async function attempt(services: WebhookServices, operation: Operation): Promise<Attempt> {
  const { vault, webhook } = services;
  try {
    const status = await webhook.post(await open(services, operation));
    return { receipt: { sandbox: false, status } };
  } catch (error) {
    if (error instanceof KeyDestroyed) return { failure: null, kind: 'recipientErased', doubtful: false };
    const { stage, kind, doubtful, status = null } = detailsOf(error);
    const message = await sealed(vault, operation.data.to, messageOf(error));
    return { failure: { stage, code: status, message } satisfies WebhookFailureReport, kind, doubtful };
  }
}

/** @throws KeyDestroyed, SealBroken, StoreUnavailable */
async function open({ vault, contents }: WebhookServices, { stream, data }: Operation): Promise<WebhookMessage> {
  const { subject, text } = await contents.open(data.content);
  return { id: keyOf(stream), to: await vault.open(data.to), subject, text };
}

function detailsOf(error: unknown): WebhookFailure['details'] {
  if (error instanceof WebhookFailure) return error.details;
  // Nothing was posted. A broken seal stays broken; whatever else kept it from being read may pass.
  return { stage: 'content', kind: error instanceof SealBroken ? 'permanent' : 'transient', doubtful: false };
}

/** Under the key of whom it is about; null where they were erased meanwhile. */
async function sealed(vault: Vault, like: Sealed, text: string): Promise<Sealed | null> {
  try {
    return await vault.sealWithKeyOf(like, 'error', text);
  } catch (error) {
    if (error instanceof KeyDestroyed) return null;
    throw error;
  }
}
