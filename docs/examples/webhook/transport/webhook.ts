import { messageOf, TidingsError } from '#libs/kernel';

/** What is posted. */
export interface WebhookMessage {
  /** The operation's: the same in every attempt, so that the other side can tell a repetition. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** An attempt to post failed. */
export class WebhookFailure extends TidingsError {
  readonly code = 'webhook-failure';

  constructor(
    message: string,
    readonly details: {
      readonly stage: 'content' | 'connect' | 'send';
      readonly kind: 'transient' | 'permanent';
      /** It may have been taken all the same. */
      readonly doubtful: boolean;
      readonly status?: number;
    },
  ) {
    super(message);
  }
}

/** What is worth another try, though it was answered. */
const transientStatuses: ReadonlySet<number> = new Set([408, 425, 429]);

/** Posts messages to the system that an installation has named. */
export class Webhook {
  /**
   * @param url undefined where the installation has none
   * @param timeout milliseconds that an answer may take
   */
  constructor(
    private readonly url: string | undefined,
    private readonly timeout = 10_000,
  ) {}

  /** @returns the status @throws WebhookFailure */
  async post({ id, ...message }: WebhookMessage): Promise<number> {
    if (this.url === undefined) {
      throw new WebhookFailure('no webhook is set', { stage: 'connect', kind: 'permanent', doubtful: false });
    }
    let response: Response;
    try {
      response = await fetch(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': id },
        body: JSON.stringify(message),
        redirect: 'error',
        signal: AbortSignal.timeout(this.timeout),
      });
      await response.body?.cancel();
    } catch (error) {
      // Whether it came before the message was taken or after, nobody can tell.
      throw new WebhookFailure(messageOf(error), { stage: 'connect', kind: 'transient', doubtful: true });
    }
    const { status, ok } = response;
    if (ok) return status;
    const isTransient = status >= 500 || transientStatuses.has(status);
    const kind = isTransient ? 'transient' : 'permanent';
    throw new WebhookFailure(`the webhook answered ${status}`, { stage: 'send', kind, doubtful: false, status });
  }
}
