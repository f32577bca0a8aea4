import type { ProblemDocument } from '#libs/http';
import { askForKey, currentKey } from './session.js';

/** An answer that is no success. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly problem: Partial<ProblemDocument>,
  ) {
    super(problem.detail ?? problem.title ?? `The server answered ${status}`);
  }

  /** The scope that the key lacks; undefined where that is not why. */
  get missingScope(): string | undefined {
    const { scope } = this.problem;
    return this.status === 403 && typeof scope === 'string' ? scope : undefined;
  }
}

interface Asking {
  readonly method?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** In place of that of the session. */
  readonly key?: string;
}

/**
 * Asks the server that served the console.
 * @throws Refusal – it says no; TypeError – it does not answer
 */
export async function ask<Body>(path: string, asking: Asking = {}): Promise<Body> {
  return (await (await request(path, asking)).json()) as Body;
}

/** What is answered at a path, as it comes. @throws as `ask` */
export async function fetchFile(path: string): Promise<Blob> {
  return (await request(path, {})).blob();
}

async function request(path: string, { method = 'GET', body, key }: Asking): Promise<Response> {
  const sent = key ?? currentKey();
  const response = await fetch(path, {
    method,
    headers: {
      ...(sent !== undefined && { authorization: `Bearer ${sent}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (response.status === 401 && key === undefined) askForKey(sent);
  if (!response.ok) throw new Refusal(response.status, await problemOf(response));
  return response;
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
