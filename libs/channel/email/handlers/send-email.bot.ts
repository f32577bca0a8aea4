import type { SealedBlobs } from '#libs/blob';
import { AttachmentAltered, type Content, type ContentAttachment, type Contents, type StoredBlob } from '#libs/content';
import { keyOf, messageOf } from '#libs/kernel';
import { defineBot, runEffect, type Attempt } from '#libs/runtime';
import { KeyDestroyed, SealBroken, type Sealed, type Vault } from '#libs/vault';
import type { BounceAddresses } from '../bounce/bounce-addresses.js';
import { emailEffectTypes, emailEvents } from '../event/email-events.js';
import { emailOperations, type SendEmail } from '../operations/email-operations.js';
import {
  EmailFailure,
  messageIdFor,
  type Attachment,
  type EmailMessage,
  type EmailReceipt,
  type EmailTransport,
} from '../transport/index.js';
import { reportFailure, reportReceipt } from './reports.js';

export interface SendEmailServices {
  readonly transport: EmailTransport;
  readonly contents: Contents;
  readonly vault: Vault;
  readonly blobs: SealedBlobs;
  /** Waits between attempts, in milliseconds; the last one repeats until the operation's time is over. */
  readonly emailRetryDelays: readonly number[];
  /** The addresses that mails come back to; undefined: they come back to their sender. */
  readonly bounces: BounceAddresses | undefined;
}

/** Id of the blob in which the sandbox keeps the mail of an attempt, under the key of its address. */
export function mimeBlobId(operationId: string, attempt: number): string {
  return `${operationId}-mime-${attempt}`;
}

/** Sends mails: claim, SMTP, outcome. */
export const sendEmailBot = defineBot({
  name: 'email.send-bot',
  reads: [emailOperations],
  looksUp: [emailEvents],
  writes: [emailEvents],
  concurrency: 32,
  create: (services: SendEmailServices) => ({
    async handle(record, context) {
      const operationId = keyOf(record.stream);
      const { data } = record;
      // Before the claim: what only waits for its turn has not begun.
      await services.contents.holding(data.content, context.signal, () =>
        runEffect({
          context,
          stream: emailEvents,
          key: operationId,
          types: emailEffectTypes,
          notAfter: Date.parse(data.notAfter),
          delivery: data.delivery,
          delays: services.emailRetryDelays,
          perform: (attempt) => attemptToSend(services, operationId, data, attempt, context.checkLease),
        }),
      );
    },
  }),
});

async function attemptToSend(
  services: SendEmailServices,
  operationId: string,
  operation: SendEmail,
  attempt: number,
  lastCheck: (() => void) | undefined,
): Promise<Attempt> {
  const { vault, blobs, transport } = services;
  // What reports hold is sealed under the key of the address, so that no later key can keep it from being erased.
  const seal = (label: string, text: string) => vault.sealWithKeyOf(operation.to[0]!.address, label, text);
  let message: EmailMessage;
  try {
    message = await compose(services, operationId, operation);
  } catch (error) {
    if (error instanceof KeyDestroyed) return { failure: null, kind: 'recipientErased', doubtful: false };
    // Nothing was sent.
    const failure = unreadable(error);
    return { failure: await reportFailure(failure, seal), kind: failure.kind, doubtful: false };
  }
  let receipt: EmailReceipt;
  try {
    receipt = await transport.send(message, undefined, lastCheck);
  } catch (error) {
    const failure =
      error instanceof EmailFailure
        ? error
        : new EmailFailure(messageOf(error), { stage: 'send', kind: 'transient', doubtful: true, cause: error });
    return { failure: await reportFailure(failure, seal), kind: failure.kind, doubtful: failure.doubtful };
  }
  const { mime: bytes } = receipt;
  const mime = bytes ? await storeMime(blobs, operation.to[0]!.address, mimeBlobId(operationId, attempt), bytes) : null;
  return { receipt: await reportReceipt(message.messageId, receipt, transport.sandbox, mime, seal) };
}

/** What is broken or altered stays so; whatever else keeps the message from being read may pass. */
function unreadable(error: unknown): EmailFailure {
  const isAltered = error instanceof AttachmentAltered;
  const kind = isAltered || error instanceof SealBroken ? 'permanent' : 'transient';
  return new EmailFailure(messageOf(error), { stage: isAltered ? 'content' : 'packaging', kind, cause: error });
}

/** Keeps the sandbox's mail, unless its recipient was erased meanwhile: the mail went out all the same. */
async function storeMime(blobs: SealedBlobs, address: Sealed, id: string, mime: Buffer): Promise<StoredBlob | null> {
  try {
    return await blobs.putWithKeyOf(address, id, mime);
  } catch (error) {
    if (error instanceof KeyDestroyed) return null;
    throw error;
  }
}

async function compose(
  { vault, contents, bounces }: SendEmailServices,
  operationId: string,
  operation: SendEmail,
): Promise<EmailMessage> {
  const to = await Promise.all(
    operation.to.map(async ({ address, name }) => ({
      address: vault.openNow(address) ?? (await vault.open(address)),
      name: name === null ? undefined : (vault.openNow(name) ?? (await vault.open(name))),
    })),
  );
  const content: Content = await contents.open(operation.content);
  return {
    from: operation.sender,
    returnPath: await bounces?.of(operationId),
    to,
    cc: content.email?.cc,
    bcc: content.email?.bcc,
    replyTo: content.email?.replyTo,
    subject: content.subject,
    text: content.text,
    html: content.html,
    attachments: content.attachments && (await Promise.all(content.attachments.map((one) => load(contents, one)))),
    priority: content.email?.priority,
    deliveryStatus: content.email?.deliveryStatus,
    messageId: messageIdFor(operationId, operation.sender.address.slice(operation.sender.address.lastIndexOf('@') + 1)),
    date: Date.parse(operation.date),
  };
}

async function load(contents: Contents, attachment: ContentAttachment): Promise<Attachment> {
  const { fileName, mediaType, contentId } = attachment;
  return { fileName, mediaType, contentId, content: await contents.readAttachment(attachment) };
}
