import { AnswerTooLarge, answerText } from '#libs/http';

/** An answer that is no success. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly status: number,
    /** As it came; undefined where it was too large to be read. */
    readonly body: string | undefined,
    /** Milliseconds (`Retry-After`), a day at most. */
    readonly retryAfter: number | undefined,
  ) {
    super(`HTTP ${status}`);
  }
}

/** There was no answer, or only part of one; the cause says why. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/**
 * One request and its whole answer. Redirects are refusals: they would take the token elsewhere.
 * @throws Refusal – any answer but a 200 that is `accepted` –, NoAnswer, and nothing else
 */
export async function exchange(
  url: string | URL,
  init: RequestInit,
  accepted: (body: string) => boolean,
  send: typeof fetch = fetch,
): Promise<string> {
  const { status, headers, body } = await answerTo(url, init, send);
  if (status === 200 && body !== undefined && accepted(body)) return body;
  throw new Refusal(status, body, retryAfterOf(headers));
}

async function answerTo(url: string | URL, init: RequestInit, send: typeof fetch) {
  try {
    const response = await send(url, { ...init, redirect: 'manual' });
    return { status: response.status, headers: response.headers, body: await bodyOf(response) };
  } catch (cause) {
    throw new NoAnswer('no answer', { cause });
  }
}

async function bodyOf(response: Response): Promise<string | undefined> {
  try {
    return await answerText(response);
  } catch (error) {
    if (error instanceof AnswerTooLarge) return undefined;
    throw error;
  }
}

/** The fields of a JSON object; none for any other text. */
export function fieldsOf(body: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(body)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** A channel that is told to wait longer would take nothing more until the process ends. In milliseconds. */
const longestRetryAfter = 24 * 60 * 60 * 1000;

/** Seconds, or an HTTP date. */
function retryAfterOf(headers: Headers): number | undefined {
  const header = headers.get('retry-after');
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(0, wait), longestRetryAfter);
}
