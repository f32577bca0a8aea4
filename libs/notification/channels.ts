import { emailEffectTypes, emailEvents, emailOperations, mimeBlobId } from '#libs/channel/email';
import { payloadBlobId, slackEffectTypes, slackEvents, slackOperations } from '#libs/channel/slack';
import type { StoredBlob } from '#libs/content';
import type { MessageOf, RecordOf, StreamDefinition } from '#libs/kernel';
import type { Channel } from '#libs/recipient';
import type { EffectTypes } from '#libs/runtime';
import { keyIdOf, type Sealed } from '#libs/vault';
import type { OperationType, PreparedOperation } from './event/contents.js';

// All that the flow of notifications knows of the channels. A further channel is added here, and its operations to
// `event/contents.ts` and `steps`.

/** The streams of each channel, and what its events say. */
export const channelStreams = {
  email: { operations: emailOperations, events: emailEvents, effects: emailEffectTypes },
  slack: { operations: slackOperations, events: slackEvents, effects: slackEffectTypes },
} as const satisfies Record<Channel, ChannelStreams>;

interface ChannelStreams {
  readonly operations: StreamDefinition;
  readonly events: StreamDefinition;
  readonly effects: EffectTypes;
}

/** Stored type name by which a channel is asked for an operation. */
const storedTypes = {
  SendEmail: 'email.send.v1',
  SendSlackMessage: 'slack.send-message.v1',
  UploadFileToSlack: 'slack.upload-file.v1',
} as const satisfies Record<OperationType, MessageOf<ChannelOperations>['type']>;

export type ChannelOperations = (typeof channelStreams)[Channel]['operations'];
export type ChannelEvents = (typeof channelStreams)[Channel]['events'];
export type ChannelEvent = RecordOf<ChannelEvents>;

export const channelOperations = Object.values(channelStreams).map(({ operations }) => operations);
export const channelEvents = Object.values(channelStreams).map(({ events }) => events);

const eventTypes: ReadonlySet<string> = new Set(channelEvents.flatMap(({ contents }) => Object.keys(contents)));

/** True for a record of a channel's event stream. */
export function isChannelEvent<Other extends { readonly type: string }>(
  record: Other | ChannelEvent,
): record is ChannelEvent {
  return eventTypes.has(record.type);
}

/** What a channel is asked for. */
export function requestOf({ type, operation }: PreparedOperation): MessageOf<ChannelOperations> {
  return { type: storedTypes[type], data: operation } as MessageOf<ChannelOperations>;
}

/** Whom an operation goes to. */
export function addressOf(prepared: PreparedOperation): Sealed {
  return prepared.type === 'SendEmail' ? prepared.operation.to[0]!.address : prepared.operation.channel;
}

/** Where what went out can be read, in the sandbox; null: nowhere. */
export function messageLink(operationId: string, { data }: ChannelEvent): string | null {
  if (!('receipt' in data)) return null;
  if ('mime' in data.receipt) return data.receipt.mime && `/v1/emails/${operationId}/message`;
  return data.receipt.payload && `/v1/slack-messages/${operationId}/message`;
}

/** Where the sandbox may have kept something of an operation: also of attempts that nothing but their claim tells of. */
export function keptBlobs(
  prepared: PreparedOperation,
  { data }: ChannelEvent,
): readonly Pick<StoredBlob, 'keyId' | 'id'>[] {
  const keyId = keyIdOf(addressOf(prepared));
  return Array.from({ length: data.attempt }, (_, index) => ({ keyId, id: keptBlobId(prepared, index + 1) }));
}

function keptBlobId({ id, channel }: PreparedOperation, attempt: number): string {
  return channel === 'email' ? mimeBlobId(id, attempt) : payloadBlobId(id, attempt);
}
