import { Slots } from '#libs/kernel';
import { compose, type ComposedEmail } from './compose.js';
import type { EmailMessage } from './email-message.js';
import { EmailFailure, type EmailReceipt, type EmailTransport } from './email-transport.js';
import { enhancedCodeOf } from './smtp-failure.js';
import { LastCheck, SmtpSession, type SmtpOptions } from './smtp-session.js';
import { endpointOf, type SmtpEndpoint, type SmtpSettings } from './smtp-settings.js';

/**
 * Sends mails over a pool of SMTP connections. The pool is ours because nodemailer's own repeats a mail by itself
 * when a connection closes under it, also when the server may have taken the mail already.
 */
export class SmtpTransport implements EmailTransport {
  readonly sandbox = false;
  readonly #endpoint: SmtpEndpoint;
  readonly #slots: Slots;
  /** Connections without work, the one used last at the end, each with the timer that ends it. */
  readonly #idle = new Map<SmtpSession, NodeJS.Timeout>();
  #closing: Promise<void> | undefined;

  /** Connects with the first mail only; throws `InvalidSmtpUrl`. */
  constructor(settings: SmtpSettings) {
    this.#endpoint = endpointOf(settings);
    this.#slots = new Slots(this.#endpoint.maxConnections);
  }

  async send(message: EmailMessage, signal?: AbortSignal, lastCheck?: () => void): Promise<EmailReceipt> {
    const mail = compose(message);
    if (this.#closing) throw notConnected('the transport is closed');
    await this.#slots.acquire(signal).catch((reason: unknown) => {
      throw notConnected(`aborted: ${String(reason)}`);
    });
    try {
      const deliveryStatusId = message.deliveryStatus ? message.messageId : undefined;
      const returnsHeaders = message.returnPath !== undefined;
      const options = { deliveryStatusId, returnsHeaders, lastCheck: lastCheck && new LastCheck(lastCheck) };
      const receipt = await this.#deliver(mail, options, signal);
      requireTold(mail, receipt);
      return receipt;
    } finally {
      this.#slots.release();
    }
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#shutDown());
  }

  async #deliver(mail: ComposedEmail, options: SmtpOptions, signal?: AbortSignal): Promise<EmailReceipt> {
    const reused = this.#takeIdle();
    if (reused) {
      try {
        return await this.#sendOver(reused, mail, options, signal);
      } catch (failure) {
        if (signal?.aborted || options.lastCheck?.hasFailed || !wasStale(failure)) throw failure;
      }
    }
    const session = new SmtpSession(this.#endpoint);
    try {
      await session.open(signal);
    } catch (failure) {
      session.abandon();
      throw failure;
    }
    return this.#sendOver(session, mail, options, signal);
  }

  async #sendOver(
    session: SmtpSession,
    mail: ComposedEmail,
    options: SmtpOptions,
    signal?: AbortSignal,
  ): Promise<EmailReceipt> {
    try {
      return await session.send(mail, options, signal);
    } catch (failure) {
      // Without a reply nobody knows what the server is doing.
      if ((failure as EmailFailure).code === undefined) session.abandon();
      throw failure;
    } finally {
      if (session.usable) this.#keep(session);
      else void session.quit();
    }
  }

  #keep(session: SmtpSession): void {
    const retire = (): void => {
      this.#forget(session);
      void session.quit();
    };
    session.onEnd = () => this.#forget(session);
    this.#idle.set(session, setTimeout(retire, this.#endpoint.idleTimeout).unref());
  }

  #forget(session: SmtpSession): void {
    clearTimeout(this.#idle.get(session));
    this.#idle.delete(session);
  }

  #takeIdle(): SmtpSession | undefined {
    const session = [...this.#idle.keys()].at(-1);
    if (session) this.#forget(session);
    return session;
  }

  async #shutDown(): Promise<void> {
    for (let slot = 0; slot < this.#endpoint.maxConnections; slot++) await this.#slots.acquire();
    await Promise.all([...this.#idle.keys()].map((session) => session.quit()));
  }
}

/** A mail that reached only those in copy has failed: nobody whom it is for was told. */
function requireTold({ to }: ComposedEmail, { rejected, conversation }: EmailReceipt): void {
  const refused = rejected.filter(({ address }) => to.includes(address));
  // One that may be taken later is reason enough to try again.
  const [first] = refused.sort((one, other) => one.code - other.code);
  if (first === undefined) return;
  throw new EmailFailure(`${first.address} was refused: ${first.response}`, {
    stage: 'send',
    kind: first.code >= 500 ? 'permanent' : 'transient',
    code: first.code,
    enhancedCode: enhancedCodeOf(first.response),
    conversation,
  });
}

/** True where the connection went away, as one does that idled too long, before the server can have taken the mail. */
function wasStale(failure: unknown): boolean {
  return (
    failure instanceof EmailFailure &&
    failure.kind === 'transient' &&
    !failure.doubtful &&
    (failure.code === undefined || failure.code === 421)
  );
}

function notConnected(message: string): EmailFailure {
  return new EmailFailure(message, { stage: 'connect', kind: 'transient' });
}
