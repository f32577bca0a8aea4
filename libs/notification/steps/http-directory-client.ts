import { setTimeout as delay } from 'node:timers/promises';
import { AnswerTooLarge, answerText, mostAnswerBytes } from '#libs/http';
import { messageOf, TidingsError } from '#libs/kernel';
import { problemsOf, type Class } from '#libs/validation';
import type { StepName } from '../event/contents.js';

export interface DirectorySettings {
  /** The steps are asked for under it. */
  readonly url: string;
  /** Sent as a bearer token; none: without authorisation. */
  readonly token?: string | undefined;
  /** Default: Node's own. */
  readonly fetch?: typeof fetch | undefined;
  /** How long one try may take, in milliseconds. */
  readonly timeout: number;
  /** Waits between tries, in milliseconds: one more try than there are waits. Default: 250 and 1,000. */
  readonly delays?: readonly number[];
}

/** The directory gave no answer that could be used. */
export class DirectoryFailed extends TidingsError {
  readonly code = 'directory-failed';

  /** @param transient whether to try once more may help */
  constructor(
    message: string,
    readonly transient: boolean,
  ) {
    super(message);
  }
}

/** Asks a directory: every question ends, after a few tries at the latest. */
export class DirectoryClient {
  private readonly delays: readonly number[];

  constructor(private readonly settings: DirectorySettings) {
    this.delays = settings.delays ?? [250, 1_000];
  }

  /**
   * The directory's answer to a step; undefined where it says 404.
   * @throws DirectoryFailed; what aborted the signal
   */
  async ask<Answer extends object>(
    step: StepName,
    question: object,
    answer: Class<Answer>,
    signal: AbortSignal,
  ): Promise<Answer | undefined> {
    const body = JSON.stringify(question);
    for (let tries = 0; ; tries += 1) {
      try {
        const given = await this.post(step, body, signal);
        return given === undefined ? undefined : checked(step, given, answer);
      } catch (error) {
        signal.throwIfAborted();
        const wait = this.delays[tries];
        if (!(error instanceof DirectoryFailed) || !error.transient || wait === undefined) throw error;
        await delay(wait, undefined, { signal });
      }
    }
  }

  private async post(step: StepName, body: string, signal: AbortSignal): Promise<unknown> {
    const { url, token, timeout, fetch: ask = fetch } = this.settings;
    let status: number;
    let text: string;
    try {
      const response = await ask(`${url}/${step}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
        body,
        // The token is for this address only.
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
      });
      status = response.status;
      text = await readText(step, response);
    } catch (error) {
      if (error instanceof DirectoryFailed) throw error;
      throw new DirectoryFailed(`the directory did not answer ${step}: ${causeOf(error)}`, true);
    }
    if (status === 404) return undefined;
    if (status > 299 && status < 400) {
      throw new DirectoryFailed(
        `the directory answered ${step} with a redirect (HTTP ${status}), which is not followed: set TIDINGS_DIRECTORY_URL to where it leads`,
        false,
      );
    }
    if (status < 200 || status > 299) {
      throw new DirectoryFailed(`the directory answered ${step} with HTTP ${status}`, status === 429 || status > 499);
    }
    try {
      return JSON.parse(text);
    } catch {
      throw new DirectoryFailed(`the directory answered ${step} with something that is not JSON`, false);
    }
  }
}

function checked<Answer extends object>(step: StepName, given: unknown, answer: Class<Answer>): Answer {
  const problems = problemsOf(answer, given);
  if (problems.length === 0) return given as Answer;
  throw new DirectoryFailed(
    `the directory's answer to ${step} is not valid: ${problems.slice(0, 10).join('; ')}`,
    false,
  );
}

async function readText(step: StepName, response: Response): Promise<string> {
  try {
    return await answerText(response);
  } catch (error) {
    if (!(error instanceof AnswerTooLarge)) throw error;
    throw new DirectoryFailed(`the directory's answer to ${step} is over ${mostAnswerBytes} bytes`, false);
  }
}

/** What `fetch` has to say of a failure stands in its cause. */
function causeOf(error: unknown): string {
  return messageOf((error as { readonly cause?: unknown }).cause ?? error);
}
