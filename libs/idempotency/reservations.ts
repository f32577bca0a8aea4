import { createHash } from 'node:crypto';
import { IsString } from 'class-validator';
import { defineStream, newId } from '#libs/kernel';
import type { ClientContext, KnownRevision, StreamReader } from '#libs/runtime';
import { WrongExpectedRevision } from '#libs/store/port';
import { schemaOf } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';

export class IdempotencyKeyReserved {
  /** Id of what the request makes. */
  @IsString()
  resourceId!: string;

  /** Hash of the request's body, sealed: a bare hash of personal data would confirm guesses after an erasure. */
  @IsSealed()
  bodyHash!: Sealed;
}

/** One stream a caller and key. */
export const idempotencyReservations = defineStream('idempotency', 'event', {
  'idempotency.key-reserved.v1': schemaOf(IdempotencyKeyReserved),
});

type Stream = typeof idempotencyReservations;

export interface Reservation {
  /** Event id of the reservation: the cause of what the request makes. */
  readonly cause: string;
  readonly resourceId: string;
  readonly bodyHash: Sealed;
  /** False when an earlier request with this key reserved it. */
  readonly isNew: boolean;
}

/** How long a key is kept, in milliseconds. */
export const keyLifetime = 24 * 60 * 60 * 1000;

/**
 * Reserves an idempotency key: of all requests with the same key, exactly one names the resource. Durable before it
 * resolves; only after that may the resource be made, under an id that follows from the reservation, so that a
 * repeated request completes what a crash cut short.
 */
export async function reserve(
  client: ClientContext<Stream, Stream>,
  caller: string,
  key: string,
  proposed: { readonly resourceId: string; readonly bodyHash: Sealed },
  now: number,
): Promise<Reservation> {
  const streamKey = streamKeyOf(caller, key);
  let expected: KnownRevision = 'noStream';
  for (;;) {
    const cause = newId();
    try {
      await client.append(
        idempotencyReservations,
        streamKey,
        expected,
        [{ type: 'idempotency.key-reserved.v1', data: proposed }],
        { correlationId: proposed.resourceId, ids: [cause] },
      );
      return { cause, ...proposed, isNew: true };
    } catch (error) {
      if (!(error instanceof WrongExpectedRevision)) throw error;
    }
    const last = await client.last(idempotencyReservations, streamKey);
    if (last !== undefined && now - last.created < keyLifetime) return { cause: last.id, ...last.data, isNew: false };
    expected = last?.revision ?? 'noStream';
  }
}

/** True where an earlier request has reserved the key. */
export async function isReserved(
  reader: StreamReader<Stream>,
  caller: string,
  key: string,
  now: number,
): Promise<boolean> {
  const last = await reader.last(idempotencyReservations, streamKeyOf(caller, key));
  return last !== undefined && now - last.created < keyLifetime;
}

function streamKeyOf(caller: string, key: string): string {
  return createHash('sha256').update(`${caller}\n${key}`).digest('hex');
}
