import { createHash } from 'node:crypto';
import type { SealedBlobs } from '#libs/blob';
import type { Content, ContentAttachment, Contents, EmailOptions } from '#libs/content';
import { reserve, type Reservation } from '#libs/idempotency';
import { deriveId, newId, streamName } from '#libs/kernel';
import { recipientOwner } from '#libs/recipient';
import type { ClientContext } from '#libs/runtime';
import { KeyDestroyed, type Sealed, type Vault } from '#libs/vault';
import { rfc3339 } from '../event/time.js';
import { notificationClientOperations, type SendNotification } from '../operations/client.js';
import type { notificationClient } from './notification-client.js';
import type { ContentDto, EmailOptionsDto, PostNotificationDto } from './post-notification.dto.js';

type Client = ClientContext<(typeof notificationClient.looksUp)[number], (typeof notificationClient.writes)[number]>;

export interface AcceptServices {
  readonly client: Client;
  readonly vault: Vault;
  readonly blobs: SealedBlobs;
  readonly contents: Contents;
}

export interface Accepted {
  /** The tracking id. */
  readonly id: string;
  /** Of the operation; undefined where the store does not tell. */
  readonly position: bigint | undefined;
  /** An earlier request with the same idempotency key was accepted, and this is its answer. */
  readonly replayed: boolean;
}

/** The idempotency key was used before, for another body. */
export class IdempotencyKeyReused extends Error {}

export interface RequestContext {
  /** Scope of the idempotency key. */
  readonly caller: string;
  readonly idempotencyKey: string | undefined;
  /** W3C trace context, carried along the flow. */
  readonly traceparent: string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

const defaultCategory = 'general';
const noBody = { category: null, severity: null, about: null, tags: null, deliverAt: null, expiresAt: null } as const;

/**
 * Enqueues a notification; durable before it resolves.
 * @throws IdempotencyKeyReused, StoreUnavailable
 */
export async function accept(
  services: AcceptServices,
  dto: PostNotificationDto,
  request: RequestContext,
): Promise<Accepted> {
  const { idempotencyKey } = request;
  if (idempotencyKey === undefined) {
    const id = newId();
    return { id, position: await enqueue(services, id, newId(), dto, request), replayed: false };
  }
  const reservation = await reserveFor(services, dto, idempotencyKey, request);
  const id = reservation.resourceId;
  if (!reservation.isNew) {
    const standing = await services.client.last(notificationClientOperations, id);
    if (standing !== undefined) return { id, position: standing.position, replayed: true };
  }
  const eventId = deriveId(reservation.cause, streamName(notificationClientOperations, id), 0);
  return { id, position: await enqueue(services, id, eventId, dto, request), replayed: !reservation.isNew };
}

async function reserveFor(
  { client, vault }: AcceptServices,
  dto: PostNotificationDto,
  key: string,
  { caller, now }: RequestContext,
): Promise<Reservation> {
  const hash = createHash('sha256').update(JSON.stringify(dto, inKeyOrder)).digest('base64url');
  const bodyHash = await vault.sealFor(recipientOwner(dto.recipientId), 'hash', hash);
  const reservation = await reserve(client, caller, key, { resourceId: newId(), bodyHash }, now);
  if (!reservation.isNew && !(await hasHash(vault, reservation.bodyHash, hash))) throw new IdempotencyKeyReused();
  return reservation;
}

/** For JSON.stringify: two bodies with the same fields are the same, in whatever order they came. */
function inKeyOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function hasHash(vault: Vault, sealed: Sealed, hash: string): Promise<boolean> {
  try {
    return (vault.openNow(sealed) ?? (await vault.open(sealed))) === hash;
  } catch (error) {
    // The recipient was erased since: nobody can tell any more, and another request must not be taken for that one.
    if (error instanceof KeyDestroyed) return false;
    throw error;
  }
}

async function enqueue(
  services: AcceptServices,
  id: string,
  eventId: string,
  dto: PostNotificationDto,
  { traceparent }: RequestContext,
): Promise<bigint | undefined> {
  const operation = await sealOperation(services, id, dto);
  const { position } = await services.client.append(
    notificationClientOperations,
    id,
    'noStream',
    [{ type: 'notification.send.v1', data: operation }],
    { correlationId: id, ids: [eventId], ...(traceparent !== undefined && { metadata: { traceparent } }) },
  );
  return position;
}

async function sealOperation(
  services: AcceptServices,
  id: string,
  dto: PostNotificationDto,
): Promise<SendNotification> {
  const { recipientId, content } = dto;
  const { category, severity, about, tags, deliverAt, expiresAt } = { ...noBody, ...dto };
  const owner = recipientOwner(recipientId);
  for (;;) {
    try {
      const { vault, contents } = services;
      const full = await contentOf(services, owner, id, content);
      return {
        recipientId,
        category: category ?? defaultCategory,
        severity: severity ?? 'info',
        subject:
          vault.sealNow(owner, 'subject', content.subject) ?? (await vault.sealFor(owner, 'subject', content.subject)),
        content: await contents.seal(owner, `${id}-content`, full),
        about: about && { processId: null, entityType: null, entityId: null, ...about },
        tags: tags ?? {},
        deliverAt: utc(deliverAt),
        expiresAt: utc(expiresAt),
      };
    } catch (error) {
      // The recipient is being erased: what is accepted from now on is sealed under a new key.
      if (!(error instanceof KeyDestroyed)) throw error;
    }
  }
}

async function contentOf({ blobs }: AcceptServices, owner: string, id: string, dto: ContentDto): Promise<Content> {
  const attachments: ContentAttachment[] = [];
  for (const [index, { fileName, mediaType, contentId, content }] of (dto.attachments ?? []).entries()) {
    const blob = await blobs.put(owner, `${id}-attachment-${index}`, Buffer.from(content, 'base64'));
    attachments.push({ fileName, mediaType, blob, ...(contentId && { contentId }) });
  }
  const { subject, text, html, email, slack } = dto;
  return {
    subject,
    text,
    ...(html && { html }),
    ...(email && { email: withoutNulls(email) }),
    ...(slack?.blocks && { slack: { blocks: slack.blocks } }),
    ...(attachments.length > 0 && { attachments }),
  };
}

/** At any depth: to clients null is absent, inside it is not. */
function withoutNulls(options: EmailOptionsDto): EmailOptions {
  return JSON.parse(JSON.stringify(options), (_key, value: unknown) => value ?? undefined) as EmailOptions;
}

function utc(time: string | null | undefined): string | null {
  return time == null ? null : rfc3339(Date.parse(time));
}
