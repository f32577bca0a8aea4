import { keepPreviousData, QueryClient, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { ask, Refusal } from './client.js';

/** Milliseconds between two looks at something that changes. */
export const liveEvery = 1_500;

/** A refusal stays one; a server that is being started again answers soon. */
function isWorthRepeating(failures: number, error: Error): boolean {
  return failures < 2 && !(error instanceof Refusal && error.status < 500);
}

export const queryClient = new QueryClient({
  defaultOptions: { queries: { retry: isWorthRepeating, retryDelay: 500, staleTime: liveEvery } },
});

export interface LiveOptions<Body> {
  /** False where it is not wanted yet. */
  readonly enabled?: boolean;
  /** Whether it can still change; default always. */
  readonly changes?: (body: Body) => boolean;
}

/**
 * What the server answers at a path, kept up to date. This is the one place that knows how: by asking again and again, as
 * long as the page is looked at.
 */
export function useLive<Body>(path: string, { enabled = true, changes }: LiveOptions<Body> = {}): UseQueryResult<Body> {
  return useQuery({
    queryKey: [path],
    queryFn: () => ask<Body>(path),
    enabled,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state: { data, error } }) => {
      const isFinal = data !== undefined && changes !== undefined && !changes(data);
      const mayNot = error instanceof Refusal && error.missingScope !== undefined;
      return isFinal || mayNot ? false : liveEvery;
    },
  });
}

/** What the server answers at a path and will not answer differently. */
export function useOnce<Body>(path: string, enabled = true): UseQueryResult<Body> {
  return useQuery({
    queryKey: [path],
    queryFn: () => ask<Body>(path),
    enabled,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });
}
