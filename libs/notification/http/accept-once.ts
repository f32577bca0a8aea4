import { createHash } from 'node:crypto';
import { isReserved, reserve, type idempotencyReservations, type Reservation } from '#libs/idempotency';
import { deriveId, newId, streamName, type StreamDefinition } from '#libs/kernel';
import type { ClientContext } from '#libs/runtime';
import { KeyDestroyed, type Sealed, type Vault } from '#libs/vault';

type Reservations = typeof idempotencyReservations;

export interface OnceServices<Operations extends StreamDefinition> {
  readonly client: ClientContext<Reservations | Operations, Reservations>;
  readonly vault: Vault;
}

export interface Accepted {
  /** The tracking id. */
  readonly id: string;
  /** Of the operation; undefined where the store does not tell. */
  readonly position: bigint | undefined;
  /** An earlier request with the same idempotency key was accepted, and this is its answer. */
  readonly replayed: boolean;
}

/** Scope of the idempotency keys of those who need not say who they are. */
const anybody = 'anybody';

/** The idempotency key was used before, for another body. */
export class IdempotencyKeyReused extends Error {}

export interface RequestContext {
  /** Who asks: the scope of the idempotency key. Undefined where nobody has to say. */
  readonly caller: string | undefined;
  readonly idempotencyKey: string | undefined;
  /** W3C trace context, carried along the flow. */
  readonly traceparent: string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/** What an operation's metadata says of the request. */
export function metadataOf({ caller, traceparent }: Pick<RequestContext, 'caller' | 'traceparent'>) {
  return { ...(traceparent !== undefined && { traceparent }), ...(caller !== undefined && { caller }) };
}

/** What is asked for, and how it is enqueued. */
export interface Enqueueing<Operations extends StreamDefinition> {
  /** Where it is enqueued: one stream each. */
  readonly operations: Operations;
  readonly body: object;
  /** Whose key seals the hash of the body. */
  readonly hashOwner: string;
  /** Refuses what cannot be enqueued, before the key is used up; left out where there is nothing to look at. */
  readonly check?: (() => Promise<void>) | undefined;
  /**
   * Answers the operation's position.
   * @param isRepeat an earlier request with the same idempotency key may have enqueued it, or a part of it
   */
  enqueue(id: string, eventId: string, isRepeat: boolean): Promise<bigint | undefined>;
}

/**
 * Enqueues an operation, of all requests with the same idempotency key once; durable before it resolves.
 * @throws IdempotencyKeyReused, StoreUnavailable, and what `check` and `enqueue` throw
 */
export async function acceptOnce<Operations extends StreamDefinition>(
  services: OnceServices<Operations>,
  asked: Enqueueing<Operations>,
  request: RequestContext,
): Promise<Accepted> {
  const { idempotencyKey: key, caller = anybody, now } = request;
  if (key === undefined) {
    const id = newId();
    return { id, position: await asked.enqueue(id, newId(), false), replayed: false };
  }
  // A request that is refused does not use up its key; one that was accepted before is not refused now.
  if (asked.check !== undefined && !(await isReserved(services.client, caller, key, now))) await asked.check();
  const reservation = await reserveFor(services, asked, key, request);
  const id = reservation.resourceId;
  if (!reservation.isNew) {
    const standing = await services.client.last(asked.operations, id);
    if (standing !== undefined) return { id, position: standing.position, replayed: true };
  }
  const eventId = deriveId(reservation.cause, streamName(asked.operations, id), 0);
  const position = await asked.enqueue(id, eventId, !reservation.isNew);
  return { id, position, replayed: !reservation.isNew };
}

async function reserveFor<Operations extends StreamDefinition>(
  { client, vault }: OnceServices<Operations>,
  { body, hashOwner }: Enqueueing<Operations>,
  key: string,
  { caller = anybody, now }: RequestContext,
): Promise<Reservation> {
  const hash = createHash('sha256').update(JSON.stringify(body, inKeyOrder)).digest('base64url');
  const bodyHash = await vault.sealFor(hashOwner, 'hash', hash);
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
