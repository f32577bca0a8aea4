import { Readable } from 'node:stream';
import SMTPConnection, { type SMTPConnectionSendInfo } from 'nodemailer/lib/smtp-connection';
import type { ComposedEmail } from './compose.js';
import type { EmailReceipt } from './email-transport.js';
import { SmtpConversation } from './smtp-conversation.js';
import { failureOf, type SmtpStage } from './smtp-failure.js';
import type { SmtpEndpoint } from './smtp-settings.js';

/** What a mail wants beyond its envelope. */
export interface SmtpOptions {
  /** Ask for a delivery status notification under this id. */
  readonly deliveryStatusId?: string | undefined;
  readonly lastCheck?: LastCheck | undefined;
  /** Ask that what comes back says what went wrong, and holds no more of the mail than its headers. */
  readonly returnsHeaders?: boolean | undefined;
}

/** What has to be true for a mail to go out; see `EmailTransport.send`. */
export class LastCheck {
  hasFailed = false;

  constructor(private readonly check: () => void) {}

  run(): void {
    try {
      this.check();
    } catch (error) {
      this.hasFailed = true;
      throw error;
    }
  }
}

type Done<Result> = (error?: Error | null, result?: Result) => void;

/** One connection to the server: opened once, then one mail after the other. */
export class SmtpSession {
  /** Called once when the connection is gone, for whatever reason. */
  onEnd: () => void = () => {};
  #alive = true;
  #messages = 0;
  #needsReset = false;
  #stage: SmtpStage = 'connect';
  #failPending: ((error: Error) => void) | undefined;
  readonly #endpoint: SmtpEndpoint;
  readonly #conversation: SmtpConversation;
  readonly #connection: SMTPConnection;

  constructor(endpoint: SmtpEndpoint) {
    this.#endpoint = endpoint;
    this.#conversation = new SmtpConversation(endpoint.credentials);
    this.#connection = new SMTPConnection({ ...endpoint.connection, logger: this.#conversation });
    this.#connection.on('error', (error: Error) => this.#failPending?.(error));
    this.#connection.once('end', () => {
      this.#alive = false;
      this.onEnd();
      // The command under way may still get a better reason in the same turn.
      queueMicrotask(() => this.#failPending?.(new Error('the connection was closed')));
    });
  }

  /** Whether another mail can go over this connection. */
  get usable(): boolean {
    return this.#alive && this.#messages < this.#endpoint.maxMessages;
  }

  /** Connects, secures the connection and logs in. Throws `EmailFailure`. */
  async open(signal?: AbortSignal): Promise<void> {
    await this.#guarded(signal, async () => {
      await this.#step<void>((done) => this.#connection.connect(done));
      if (this.#endpoint.credentials) await this.#logIn();
    });
  }

  /** Sends one mail. Throws `EmailFailure`. */
  async send(mail: ComposedEmail, options: SmtpOptions, signal?: AbortSignal): Promise<EmailReceipt> {
    return this.#guarded(signal, async () => {
      this.#stage = 'send';
      this.#messages += 1;
      this.#conversation.finalDotSent = false;
      if (this.#needsReset) await this.#step((done) => this.#connection.reset(done));
      this.#needsReset = true;
      const info = await this.#step<SMTPConnectionSendInfo>((done) =>
        this.#connection.send(envelopeOf(mail, options), bodyOf(mail, options), done),
      );
      this.#needsReset = false;
      return {
        accepted: info.accepted,
        rejected: (info.rejectedErrors ?? []).map(({ recipient, responseCode, response }) => ({
          address: recipient ?? '',
          code: responseCode ?? 0,
          response: this.#conversation.redact(response ?? ''),
        })),
        response: this.#conversation.redact(info.response),
        conversation: this.#conversation.take(),
        bytes: mail.mime.length,
      };
    });
  }

  /** Says QUIT and waits until the connection is gone, at most for a second. */
  async quit(): Promise<void> {
    if (!this.#alive) return;
    const ended = new Promise<void>((resolve) => {
      const onEnd = this.onEnd;
      this.onEnd = () => {
        onEnd();
        resolve();
      };
    });
    const impatience = setTimeout(() => this.abandon(), 1_000);
    this.#connection.quit();
    await ended;
    clearTimeout(impatience);
  }

  /** Closes the connection, whatever is under way. */
  abandon(): void {
    this.#connection.close();
  }

  async #logIn(): Promise<void> {
    this.#stage = 'authenticate';
    if (!this.#connection.allowsAuth)
      throw Object.assign(new Error('there are credentials but the server offers no login'), { code: 'EAUTH' });
    this.#conversation.loggingIn = true;
    await this.#step<boolean>((done) => this.#connection.login({ credentials: this.#endpoint.credentials }, done));
    this.#conversation.loggingIn = false;
  }

  /** Makes an `EmailFailure` of whatever goes wrong, and lets the signal break the connection. */
  async #guarded<Result>(signal: AbortSignal | undefined, work: () => Promise<Result>): Promise<Result> {
    const abandon = (): void => this.abandon();
    signal?.addEventListener('abort', abandon, { once: true });
    try {
      signal?.throwIfAborted();
      return await work();
    } catch (thrown) {
      throw failureOf(thrown, this.#stage, this.#conversation, signal);
    } finally {
      signal?.removeEventListener('abort', abandon);
    }
  }

  /** One exchange: ends with its callback, or with the connection. */
  #step<Result>(start: (done: Done<Result>) => void): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#failPending = reject;
      start((error, result) => (error ? reject(error) : resolve(result as Result)));
    }).finally(() => (this.#failPending = undefined));
  }
}

/** Read once the server has asked for it. */
function bodyOf({ mime }: ComposedEmail, { lastCheck }: SmtpOptions): Buffer | Readable {
  if (lastCheck === undefined) return mime;
  return new Readable({
    read() {
      try {
        lastCheck.run();
        this.push(mime);
        this.push(null);
      } catch (error) {
        this.destroy(error as Error);
      }
    },
  });
}

function envelopeOf({ from, recipients, mime }: ComposedEmail, options: SmtpOptions) {
  const dsn = deliveryStatusOf(options);
  return { from, to: [...recipients], size: mime.length, ...(dsn && { dsn }) };
}

function deliveryStatusOf({ deliveryStatusId: envid, returnsHeaders }: SmtpOptions) {
  if (envid !== undefined) return { ret: 'HDRS' as const, envid, notify: ['SUCCESS', 'FAILURE', 'DELAY'] };
  return returnsHeaders ? { ret: 'HDRS' as const, notify: ['FAILURE', 'DELAY'] } : undefined;
}
