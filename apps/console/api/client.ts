import type { ProblemDocument } from '#libs/http';

/** An answer that is no success. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly problem: Partial<ProblemDocument>,
  ) {
    super(problem.detail ?? problem.title ?? `The server answered ${status}`);
  }
}

/**
 * Asks the server that served the console.
 * @param body sent as JSON
 * @throws Refusal – it says no; TypeError – it does not answer
 */
export async function ask<Body>(path: string, init: { readonly method?: string; readonly body?: unknown } = {}) {
  const { method = 'GET', body } = init;
  const response = await fetch(path, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Refusal(response.status, await problemOf(response));
  return (await response.json()) as Body;
}

async function problemOf(response: Response): Promise<Partial<ProblemDocument>> {
  if (!/\bjson\b/.test(response.headers.get('content-type') ?? '')) return {};
  return (await response.json()) as ProblemDocument;
}

/** A path with those parameters that say something. */
export function pathOf(path: string, parameters: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  return query.size === 0 ? path : `${path}?${query}`;
}
