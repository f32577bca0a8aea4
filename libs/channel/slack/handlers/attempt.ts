import type { SealedBlobs } from '#libs/blob';
import { AttachmentAltered, type Contents, type StoredBlob } from '#libs/content';
import { keyOf, messageOf, type RecordOf } from '#libs/kernel';
import type { Attempt } from '#libs/runtime';
import { KeyDestroyed, SealBroken, type Vault } from '#libs/vault';
import type { slackOperations } from '../operations/slack-operations.js';
import { SlackFailure, type SlackCall, type SlackReceipt, type SlackTransport } from '../transport/index.js';
import { messageFor } from './compose.js';
import { reportFailure, reportReceipt } from './reports.js';

export interface AttemptServices {
  readonly slackTransport: SlackTransport;
  readonly contents: Contents;
  readonly vault: Vault;
  readonly blobs: SealedBlobs;
}

type SlackOperationRecord = RecordOf<typeof slackOperations>;

/** What an operation posts, with all that posting it needs. */
interface Prepared {
  post(transport: SlackTransport): Promise<SlackReceipt>;
  /** Where the bytes to upload stand. */
  readonly file: StoredBlob | null;
}

/** Id of the blob in which the sandbox keeps the call of an attempt, under the key of its channel. */
export function payloadBlobId(operationId: string, attempt: number): string {
  return `${operationId}-payload-${attempt}`;
}

/** Makes one attempt at an operation. @param lastCheck called right before Slack is; what it throws is thrown on */
export async function makeAttempt(
  services: AttemptServices,
  operation: SlackOperationRecord,
  attempt: number,
  lastCheck?: () => void,
): Promise<Attempt> {
  const { vault, slackTransport } = services;
  // What reports hold is sealed under the key of the channel, so that no later key can keep it from being erased.
  const seal = (label: string, text: string) => vault.sealWithKeyOf(operation.data.channel, label, text);

  async function failed(failure: SlackFailure): Promise<Attempt> {
    const { kind, doubtful, retryAfter } = failure;
    return { failure: await reportFailure(failure, seal), kind, doubtful, retryAfter };
  }

  let prepared: Prepared;
  try {
    prepared = await prepare(services, operation);
  } catch (error) {
    if (error instanceof KeyDestroyed) return { failure: null, kind: 'recipientErased', doubtful: false };
    return failed(unprepared(error));
  }
  lastCheck?.();
  let receipt: SlackReceipt;
  try {
    receipt = await prepared.post(slackTransport);
  } catch (error) {
    return failed(
      error instanceof SlackFailure
        ? error
        : new SlackFailure(messageOf(error), { stage: 'send', kind: 'transient', doubtful: true, cause: error }),
    );
  }
  const payload = receipt.call ? await keep(services, operation, attempt, receipt.call) : null;
  const file = slackTransport.sandbox ? prepared.file : null;
  return { receipt: await reportReceipt(receipt, slackTransport.sandbox, { payload, file }, seal) };
}

async function prepare({ vault, contents }: AttemptServices, { type, data }: SlackOperationRecord): Promise<Prepared> {
  const channel = vault.openNow(data.channel) ?? (await vault.open(data.channel));
  const content = await contents.open(data.content);
  if (type === 'slack.send-message.v1') {
    const message = messageFor(channel, content);
    return { post: (transport) => transport.postMessage(message), file: null };
  }
  const attachment = content.attachments?.[data.attachment];
  if (attachment === undefined) {
    const message = `the content has no attachment ${data.attachment}`;
    throw new SlackFailure(message, { stage: 'content', kind: 'permanent' });
  }
  const { fileName, mediaType, blob } = attachment;
  const bytes = await contents.readAttachment(attachment);
  const file = { channel, threadTs: content.slack?.threadTs, fileName, mediaType, content: bytes };
  return { post: (transport) => transport.uploadFile(file), file: blob };
}

/** Nothing was sent. What is broken or altered stays so; whatever else keeps it from being read may pass. */
function unprepared(error: unknown): SlackFailure {
  if (error instanceof SlackFailure) return error;
  const isAltered = error instanceof AttachmentAltered;
  const kind = isAltered || error instanceof SealBroken ? 'permanent' : 'transient';
  return new SlackFailure(messageOf(error), { stage: isAltered ? 'content' : 'packaging', kind, cause: error });
}

/** Keeps what the sandbox did not send, unless its recipient was erased meanwhile. */
async function keep(
  { blobs }: AttemptServices,
  { stream, data }: SlackOperationRecord,
  attempt: number,
  call: SlackCall,
): Promise<StoredBlob | null> {
  const payload = Buffer.from(JSON.stringify({ method: call.method, ...call.arguments }));
  try {
    return await blobs.putWithKeyOf(data.channel, payloadBlobId(keyOf(stream), attempt), payload);
  } catch (error) {
    if (error instanceof KeyDestroyed) return null;
    throw error;
  }
}
