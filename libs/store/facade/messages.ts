import emptyMessages from 'google-protobuf/google/protobuf/empty_pb.js';
import sharedMessages from '@eventstore/db-client/generated/shared_pb.js';
import streamsMessages from '@eventstore/db-client/generated/streams_pb.js';
import type { AllStreamPosition, StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb.js';
import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { RecordedEvent } from '#libs/kernel';

const ticksPerMillisecond = 10_000n;
/** What EventStoreDB has for "all there was is deleted"; no JavaScript number is equal to it. */
const maxRevision = 9_223_372_036_854_775_807n;
const encoder = new TextEncoder();

/** How a client wants UUIDs: as text, or as two 64-bit numbers. */
export type UuidForm = 'string' | 'structured';

/** A record as it goes out: data and metadata are bytes. */
export interface WireRecord {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: bigint;
  readonly position: bigint;
  /** Milliseconds since the Unix epoch. */
  readonly created: number;
  readonly isJson: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export function empty() {
  return new emptyMessages.Empty();
}

export function allPosition(position: bigint): AllStreamPosition {
  return new sharedMessages.AllStreamPosition()
    .setCommitPosition(String(position))
    .setPreparePosition(String(position));
}

export function streamIdentifier(stream: string): StreamIdentifier {
  return new sharedMessages.StreamIdentifier().setStreamName(encoder.encode(stream));
}

export function streamOf(identifier: StreamIdentifier | undefined): string {
  return Buffer.from(identifier?.getStreamName_asU8() ?? []).toString();
}

export function uuidMessage(id: string, form: UuidForm): UUID {
  const message = new sharedMessages.UUID();
  if (form === 'string') return message.setString(id);
  const hex = id.replaceAll('-', '');
  const signed = (digits: string) => String(BigInt.asIntN(64, BigInt(`0x${digits}`)));
  return message.setStructured(
    new sharedMessages.UUID.Structured()
      .setMostSignificantBits(signed(hex.slice(0, 16)))
      .setLeastSignificantBits(signed(hex.slice(16))),
  );
}

/** The text of a UUID in either form, in lower case. */
export function uuidOf(message: UUID | undefined): string {
  const structured = message?.getStructured();
  if (structured === undefined) return message?.getString().toLowerCase() ?? '';
  const digits = (bits: string) => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0');
  const hex = digits(structured.getMostSignificantBits()) + digits(structured.getLeastSignificantBits());
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export function wireRecord(record: RecordedEvent): WireRecord {
  const { id, type, stream, revision, position, created, data, metadata } = record;
  const metadataText = JSON.stringify(metadata);
  return {
    id,
    type,
    stream,
    revision,
    position,
    created,
    isJson: true,
    data: encoder.encode(stream.startsWith('$$') ? metadataJson(data) : JSON.stringify(data)),
    metadata: encoder.encode(metadataText === '{}' ? '' : metadataText),
  };
}

/** Clients in other languages read `$tb` as a 64-bit number, so the maximum has to be exact. */
function metadataJson(data: unknown): string {
  return JSON.stringify(data, (key, value: unknown) =>
    key === '$tb' && typeof value === 'number' && !Number.isSafeInteger(value) ? '$max' : value,
  ).replace('"$tb":"$max"', `"$tb":${maxRevision}`);
}

function recordMessage(record: WireRecord, form: UuidForm): ReadResp.ReadEvent.RecordedEvent {
  const message = new streamsMessages.ReadResp.ReadEvent.RecordedEvent()
    .setId(uuidMessage(record.id, form))
    .setStreamIdentifier(streamIdentifier(record.stream))
    .setStreamRevision(String(record.revision))
    .setCommitPosition(String(record.position))
    .setPreparePosition(String(record.position))
    .setCustomMetadata(record.metadata)
    .setData(record.data);
  message
    .getMetadataMap()
    .set('type', record.type)
    .set('created', String(BigInt(record.created) * ticksPerMillisecond))
    .set('content-type', record.isJson ? 'application/json' : 'application/octet-stream');
  return message;
}

/** An event, the link that led to it, or the link alone. */
export function eventResponse(event: WireRecord, link: WireRecord | undefined, form: UuidForm): ReadResp {
  const message = new streamsMessages.ReadResp.ReadEvent()
    .setEvent(recordMessage(event, form))
    .setCommitPosition(String((link ?? event).position));
  if (link !== undefined) message.setLink(recordMessage(link, form));
  return new streamsMessages.ReadResp().setEvent(message);
}

export function confirmationResponse(subscription: string): ReadResp {
  const confirmation = new streamsMessages.ReadResp.SubscriptionConfirmation().setSubscriptionId(subscription);
  return new streamsMessages.ReadResp().setConfirmation(confirmation);
}

export function checkpointResponse(position: bigint): ReadResp {
  const checkpoint = new streamsMessages.ReadResp.Checkpoint()
    .setCommitPosition(String(position))
    .setPreparePosition(String(position));
  return new streamsMessages.ReadResp().setCheckpoint(checkpoint);
}

export function caughtUpResponse(): ReadResp {
  return new streamsMessages.ReadResp().setCaughtUp(new streamsMessages.ReadResp.CaughtUp());
}

export function streamNotFoundResponse(stream: string): ReadResp {
  const notFound = new streamsMessages.ReadResp.StreamNotFound().setStreamIdentifier(streamIdentifier(stream));
  return new streamsMessages.ReadResp().setStreamNotFound(notFound);
}
