import { from, lastValueFrom, mergeMap, toArray } from 'rxjs';
import { invalid, Problem, type ProblemDocument } from '#libs/http';
import { deriveId, streamName } from '#libs/kernel';
import { recipientOwner } from '#libs/recipient';
import { validate, type FieldProblem } from '#libs/validation';
import { notificationClientOperations, type SendNotification } from '../operations/client.js';
import { acceptOnce, metadataOf, type RequestContext } from './accept-once.js';
import type { AcceptServices } from './accept.js';
import type { PostBatchDto } from './batch.dto.js';
import { PostToOneDto } from './post-notification.dto.js';
import { sealedTextIn } from './refusals.js';
import { sealRequest } from './seal-request.js';

/** The id of a notification that is accepted, or why the item is refused. */
export type BatchItem = { readonly id: string } | { readonly problem: ProblemDocument };

export interface AcceptedBatch {
  /** In the order of the request. */
  readonly items: readonly BatchItem[];
  /** Of the operation that stands last; undefined where there is none, or the store does not tell. */
  readonly position: bigint | undefined;
  /** An earlier request with the same idempotency key was accepted, and this is its answer. */
  readonly replayed: boolean;
}

/** Whose key seals the hashes of requests: a batch has no owner. */
const hashOwner = 'batches';
/** Items that are sealed, and whose attachments are stored, at a time. */
const sealedAtATime = 32;

/** An item, and what is to be appended for it. */
interface Judged {
  readonly item: BatchItem;
  readonly data?: SendNotification;
  /** Position of the operation, where an earlier request has enqueued it. */
  readonly position?: bigint;
}

/**
 * Enqueues the notifications of a batch, all that are valid; durable before it resolves.
 * @throws IdempotencyKeyReused, StoreUnavailable – whether some of them are accepted is not known then
 */
export async function acceptBatch(
  services: AcceptServices,
  dto: PostBatchDto,
  request: RequestContext,
): Promise<AcceptedBatch> {
  let items: readonly BatchItem[] = [];
  const { position, replayed } = await acceptOnce(
    services,
    {
      operations: notificationClientOperations,
      body: dto,
      hashOwner,
      async enqueue(batchId, _eventId, isRepeat) {
        const judged = await judgeAll(services, dto.items, batchId, isRepeat, request.now);
        items = judged.map(({ item }) => item);
        return enqueueAll(services, judged, metadataOf(request));
      },
    },
    request,
  );
  return { items, position, replayed };
}

function judgeAll(
  services: AcceptServices,
  items: readonly unknown[],
  batchId: string,
  isRepeat: boolean,
  now: number,
): Promise<readonly Judged[]> {
  const judged = from(items.entries()).pipe(
    mergeMap(async ([index, item]) => {
      const id = deriveId(batchId, notificationClientOperations.category, index);
      const standing = isRepeat ? await services.client.last(notificationClientOperations, id) : undefined;
      const one = standing
        ? { item: { id }, position: standing.position }
        : await judge(services, item, index, id, now);
      return [index, one] as const;
    }, sealedAtATime),
    toArray(),
  );
  return lastValueFrom(judged).then((all) => all.sort(([a], [b]) => a - b).map(([, one]) => one));
}

async function judge(
  services: AcceptServices,
  given: unknown,
  index: number,
  id: string,
  now: number,
): Promise<Judged> {
  try {
    refuse(validate(PostToOneDto, given));
    const dto = given as PostToOneDto;
    const sealedText = sealedTextIn(dto);
    refuse(sealedText ? [sealedText] : []);
    const { recipientId } = dto;
    return {
      item: { id },
      data: { recipientId, ...(await sealRequest(services, recipientOwner(recipientId), id, dto, now)) },
    };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const errors = (error.document.errors ?? []).map(({ path, message }) => ({ path: within(index, path), message }));
    return { item: { problem: invalid(errors).document } };
  }
}

function refuse(problems: readonly FieldProblem[]): void {
  if (problems.length > 0) throw invalid(problems);
}

function within(index: number, path: string): string {
  return path === '' ? `items[${index}]` : `items[${index}].${path}`;
}

async function enqueueAll(
  { client }: AcceptServices,
  judged: readonly Judged[],
  metadata: Readonly<Record<string, unknown>>,
): Promise<bigint | undefined> {
  const appends = judged.flatMap(({ item, data }) => {
    if (!('id' in item) || data === undefined) return [];
    const { id: key } = item;
    const ids = [deriveId(key, streamName(notificationClientOperations, key), 0)];
    const options = { correlationId: key, ids, metadata };
    return [{ key, messages: [{ type: 'notification.send.v1' as const, data }], options }];
  });
  const results = appends.length === 0 ? [] : await client.appendNew(notificationClientOperations, appends);
  const positions = [...results, ...judged].flatMap(({ position }) => position ?? []);
  return positions.length === 0 ? undefined : positions.reduce((last, one) => (one > last ? one : last));
}
