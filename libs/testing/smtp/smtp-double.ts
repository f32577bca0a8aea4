import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import { Script, type Behaviour } from './script.js';
import { testOnlyCertificate, testOnlyKey } from './test-only-certificate.js';

export interface SmtpDoubleOptions {
  /** `starttls`: offers STARTTLS; `tls`: TLS from the start; `plain`: neither. `starttls` when left out. */
  readonly security?: 'starttls' | 'tls' | 'plain';
  /** Asks for a login; the URL then carries these. */
  readonly credentials?: { readonly user: string; readonly password: string };
  /** Largest mail taken, in bytes. */
  readonly maxBytes?: number;
}

/** A mail that the double has taken. */
export interface TakenMail {
  readonly envelope: {
    readonly from: string;
    readonly to: readonly string[];
    /** RET of a delivery status request. */
    readonly dsnReturn: string | undefined;
    /** NOTIFY of it. */
    readonly dsnNotify: readonly string[];
  };
  /** Whether it came over TLS. */
  readonly secure: boolean;
  readonly user: string | undefined;
  /** The bytes as received, dot-stuffing undone. */
  readonly raw: Buffer;
  readonly parsed: Email;
}

/**
 * A mail server for tests: speaks SMTP on a free loopback port, keeps what it takes and misbehaves as told. Processes
 * other than the test's reach it by `url` and `ca`.
 */
export class SmtpDouble {
  /** Every mail taken, in order; a mail whose reply was dropped counts as taken. */
  readonly mails: TakenMail[] = [];
  /** Connections accepted so far. */
  connections = 0;
  /** Called synchronously right before and right after the final 250 of a mail is written. */
  onReply: ((moment: 'before' | 'after', mail: TakenMail) => void) | undefined;
  /** Certificate authority that clients need for TLS. */
  readonly ca = testOnlyCertificate;
  readonly #options: SmtpDoubleOptions;
  readonly #script = new Script();
  readonly #server: SMTPServer;
  readonly #waiting = new Set<() => void>();
  #port = 0;

  private constructor(options: SmtpDoubleOptions) {
    this.#options = options;
    this.#server = new SMTPServer({
      key: testOnlyKey,
      cert: testOnlyCertificate,
      secure: options.security === 'tls',
      disabledCommands: [
        ...(options.security === 'plain' ? ['STARTTLS'] : []),
        ...(options.credentials ? [] : ['AUTH']),
      ],
      allowInsecureAuth: true,
      disableReverseLookup: true,
      hideDSN: false,
      size: options.maxBytes,
      onAuth: ({ username, password }, _session, callback) => {
        const { user, password: expected } = options.credentials ?? {};
        if (username === user && password === expected) callback(null, { user });
        else callback(null, { message: `5.7.8 ${password} is not the password`, responseCode: 535 });
      },
      onConnect: (session, callback) => {
        this.connections += 1;
        void this.#act('connection', [], session, callback);
      },
      onRcptTo: ({ address }, session, callback) => void this.#act('recipient', [address], session, callback),
      onData: (stream, session, callback) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => void this.#take(Buffer.concat(chunks), session, callback));
      },
    });
    // Clients that vanish are what the double is for.
    this.#server.on('error', () => {});
  }

  static async start(options: SmtpDoubleOptions = {}): Promise<SmtpDouble> {
    const double = new SmtpDouble(options);
    await double.acceptConnections();
    return double;
  }

  get openConnections(): number {
    return this.#server.connections.size;
  }

  /** With the credentials, if there are any. */
  get url(): string {
    const { credentials, security } = this.#options;
    const login = credentials
      ? `${encodeURIComponent(credentials.user)}:${encodeURIComponent(credentials.password)}@`
      : '';
    return `${security === 'tls' ? 'smtps' : 'smtp'}://${login}127.0.0.1:${this.#port}`;
  }

  /** Adds to the script; of several behaviours that apply, the one added first and not used up acts. */
  behave(behaviour: Behaviour): void {
    this.#script.add(behaviour);
  }

  /** The first `count` mails, once that many have been taken; rejects after `timeoutMs`. */
  async received(count: number, timeoutMs = 20_000): Promise<readonly TakenMail[]> {
    const deadline = AbortSignal.timeout(timeoutMs);
    while (this.mails.length < count) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.add(resolve);
        deadline.addEventListener('abort', () =>
          reject(new Error(`${this.mails.length} of ${count} mails came within ${timeoutMs} ms`)),
        );
      });
    }
    return this.mails.slice(0, count);
  }

  /** How often a mail with this Message-ID has been taken. */
  countOf(messageId: string): number {
    return this.mails.filter(({ parsed }) => parsed.messageId === messageId).length;
  }

  /** Breaks every connection. */
  breakConnections(): void {
    for (const connection of this.#server.connections) connection._socket.destroy();
  }

  /** Stops listening and breaks every connection; the port stays reserved in name only. */
  async refuseConnections(): Promise<void> {
    const closed = once(this.#server.server, 'close');
    this.#server.server.close();
    this.breakConnections();
    await closed;
  }

  /** Listens again after `refuseConnections`, on the same port. */
  async acceptConnections(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server.server, 'listening');
    this.#port = (this.#server.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (this.#server.server.listening) await this.refuseConnections();
  }

  async #act(
    at: Behaviour['at'],
    recipients: readonly string[],
    session: SMTPServerSession,
    reply: (error?: Error) => void,
  ): Promise<void> {
    const behaviour = this.#script.next(at, recipients);
    await waited(behaviour?.wait);
    if (behaviour?.drop === 'beforeReply') this.#socketOf(session)?.destroy();
    else {
      reply(behaviour?.reply === undefined ? undefined : refusal(behaviour.reply));
      if (behaviour?.drop === 'afterReply') this.#socketOf(session)?.end();
    }
  }

  async #take(
    raw: Buffer,
    session: SMTPServerSession,
    reply: (error: Error | null, message?: string) => void,
  ): Promise<void> {
    const { envelope, secure } = session;
    const mail: TakenMail = {
      envelope: {
        from: envelope.mailFrom ? envelope.mailFrom.address : '',
        to: envelope.rcptTo.map(({ address }) => address),
        dsnReturn: envelope.dsn?.ret ?? undefined,
        dsnNotify: envelope.rcptTo.flatMap(({ dsn }) => dsn?.notify ?? []),
      },
      secure,
      user: session.user as string | undefined,
      raw,
      parsed: await PostalMime.parse(raw),
    };
    const behaviour = this.#script.next('data', mail.envelope.to);
    await waited(behaviour?.wait);
    if (behaviour?.reply !== undefined) return reply(refusal(behaviour.reply));
    this.mails.push(mail);
    if (behaviour?.drop === 'beforeReply') this.#socketOf(session)?.destroy();
    else {
      this.onReply?.('before', mail);
      reply(null, '2.0.0 taken');
      this.onReply?.('after', mail);
      if (behaviour?.drop === 'afterReply') this.#socketOf(session)?.end();
    }
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #socketOf(session: SMTPServerSession) {
    return [...this.#server.connections].find((connection) => connection.session === session)?._socket;
  }
}

async function waited(wait: number | PromiseLike<unknown> | undefined): Promise<void> {
  await (typeof wait === 'number' ? delay(wait, undefined, { ref: false }) : wait);
}

function refusal(reply: string): Error {
  return Object.assign(new Error(reply.slice(4)), { responseCode: Number(reply.slice(0, 3)) });
}
