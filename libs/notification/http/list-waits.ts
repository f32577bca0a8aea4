import { positionParameter, unavailable } from '#libs/http';
import { IndexCatchingUp, IndexFailure, type CatchUp } from '#libs/query-index';
import type { Page } from '../list/lists.js';
import type { QueryParameters } from './list-parameters.js';

/** How long a list waits until it shows what was asked for with `atLeast`, in milliseconds. */
const patience = 30_000;

/** A list's body. */
export interface PageDto<Item> {
  readonly items: readonly Item[];
  /** Null where nothing follows. */
  readonly nextCursor: string | null;
}

/**
 * Answers a list once it shows everything up to `atLeast`.
 * @throws Problem 422, and 503 where it does not in time, or where the index is not there
 */
export async function answerList<Item>(
  catchUp: CatchUp,
  query: QueryParameters,
  read: () => Promise<Page<Item>>,
): Promise<PageDto<Item>> {
  const atLeast = positionParameter('atLeast', query['atLeast']);
  const late = atLeast === undefined ? undefined : await catchUp.reaches(atLeast, patience);
  if (late !== undefined) throw unavailable(`not everything up to atLeast can be shown yet: ${late} is behind`);
  try {
    const { items, last } = await read();
    return { items, nextCursor: last ?? null };
  } catch (error) {
    if (error instanceof IndexCatchingUp || error instanceof IndexFailure) {
      throw unavailable('the lists are being made; everything else works', 2);
    }
    throw error;
  }
}
