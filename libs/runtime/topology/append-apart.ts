import type { Append, AppendResult, StoreCapabilities } from '#libs/store/port';

/**
 * Makes appends that do not depend on each other, and answers in their order: together where the store commits them so;
 * otherwise all at once, of which the store takes as many at a time as it can, and one that fails stops none of the others.
 * @throws the first failure, when none is under way any more
 */
export async function appendApart(
  { groupCommit }: StoreCapabilities,
  appends: readonly Append[],
  appendAll: (appends: readonly Append[]) => Promise<readonly AppendResult[]>,
): Promise<readonly AppendResult[]> {
  if (groupCommit) return appendAll(appends);
  const settled = await Promise.allSettled(appends.map((append) => appendAll([append])));
  return settled.flatMap((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}
