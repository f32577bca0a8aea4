import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';

/** Whoever has an address here is not known to the mail server. */
export const goneDomain = 'gone.example';
/** Mail for here is taken at the third attempt. */
export const busyDomain = 'busy.example';

const refusalsWhenBusy = 2;

/** A mail server that keeps nothing and fails as real ones do: by domain, and while it is away. */
export class MailProvider {
  /** It takes no mail for the time being. */
  away = false;
  /** How often it has refused a mail for being busy, by Message-ID. */
  private readonly refused = new Map<string, number>();
  private readonly server: SMTPServer;

  private constructor() {
    this.server = new SMTPServer({
      disabledCommands: ['STARTTLS', 'AUTH'],
      disableReverseLookup: true,
      onRcptTo: ({ address }, _session, done) => {
        if (this.away) done(refusal(451, '4.3.2 not available for the time being'));
        else if (domainOf(address) === goneDomain) done(refusal(550, '5.1.1 no such user here'));
        else done();
      },
      onData: (stream, session, done) => {
        text(stream).then(
          (mail) => this.take(mail, session, done),
          (error: unknown) => done(error as Error),
        );
      },
    });
    // Connections that break are the client's affair.
    this.server.on('error', () => undefined);
  }

  static async start(): Promise<MailProvider> {
    const provider = new MailProvider();
    provider.server.listen(0, '127.0.0.1');
    await once(provider.server.server, 'listening');
    return provider;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.server.server, 'close');
    this.server.server.close();
    for (const { _socket: socket } of this.server.connections) socket.destroy();
    await closed;
  }

  private async take(
    mail: string,
    { envelope }: SMTPServerSession,
    done: (error?: Error | null) => void,
  ): Promise<void> {
    // As long as it takes elsewhere.
    await delay(20 + Math.random() * 180);
    const [, id = ''] = /^message-id: *(\S+)/im.exec(mail) ?? [];
    const before = this.refused.get(id) ?? 0;
    const isForBusy = envelope.rcptTo.some(({ address }) => domainOf(address) === busyDomain);
    const isBusy = isForBusy && before < refusalsWhenBusy;
    if (isBusy) this.refused.set(id, before + 1);
    else this.refused.delete(id);
    done(isBusy ? refusal(451, '4.3.0 too busy, try later') : null);
  }
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

function refusal(code: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode: code });
}
