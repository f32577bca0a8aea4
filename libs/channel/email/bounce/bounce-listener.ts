import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { Refused } from '#libs/kernel';
import { mailUnderWay } from '../event/email-reports.js';
import { beginningOf, mostMailBytes } from './beginning-of.js';
import type { BounceAddresses } from './bounce-addresses.js';
import type { BounceAnswer, BounceIntake } from './bounce-intake.js';
import { MalformedReport } from './delivery-status.js';

export interface BounceListenerOptions {
  /** A name or an address; without brackets. */
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly bounces: BounceAddresses;
  readonly intake: BounceIntake;
  /** A mail to an address that is none of ours was refused. */
  onRefused(): void;
  /** Something went wrong that is not the sender's fault; the sender was told to come back. */
  onError(error: unknown): void;
}

/** A mail server that takes nothing but what comes back. */
export interface BounceListener {
  readonly port: number;
  /** Takes no further connections, lets mails under way finish and closes the others. */
  close(): Promise<void>;
}

const mostConnections = 20;
/** In milliseconds. */
const longestSilence = 30_000;
const longestConnection = 300_000;
const closeGrace = 10_000;

/**
 * Listens for mails that come back, over SMTP. A mail is answered with 250 once what it reports is on disk, with 451 where
 * that cannot be done now.
 * @throws the error of a port that cannot be listened on
 */
export async function startBounceListener(options: BounceListenerOptions): Promise<BounceListener> {
  const { host, port, bounces, intake, onRefused, onError } = options;
  /** Of the mail under way, by session. */
  const operations = new WeakMap<SMTPServerSession, string>();

  async function takeRecipient(address: string, session: SMTPServerSession): Promise<void> {
    // A report is about one mail; what goes to several of our addresses is about none of them in particular.
    if (session.envelope.rcptTo.length > 0) throw reply(452, '4.5.3 one recipient at a time');
    const operationId = await bounces.operationIn(address);
    if (operationId === undefined) {
      onRefused();
      throw reply(550, '5.1.1 no such address');
    }
    operations.set(session, operationId);
  }

  async function takeMail(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string> {
    const bytes = await beginningOf(stream);
    if (stream.sizeExceeded) throw reply(552, '5.3.4 the mail is too large');
    return textOf(await intake.takeMail(bytes, operations.get(session)));
  }

  const server = new SMTPServer({
    banner: 'for mail that comes back',
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    size: mostMailBytes,
    maxClients: mostConnections,
    socketTimeout: longestSilence,
    closeTimeout: closeGrace,
    onRcptTo({ address }, session, callback) {
      takeRecipient(address, session).then(
        () => callback(),
        (error: unknown) => callback(replyTo(error, onError)),
      );
    },
    onData(stream, session, callback) {
      takeMail(stream, session).then(
        (text) => callback(null, text),
        (error: unknown) => {
          // The rest of the mail has to be read before the answer is.
          stream.resume();
          callback(replyTo(error, onError));
        },
      );
    },
  });
  // Clients that break their connection are nobody's concern here.
  server.on('error', () => {});
  server.server.on('connection', (socket: Socket) => {
    const end = setTimeout(() => socket.destroy(), longestConnection).unref();
    socket.once('close', () => clearTimeout(end));
  });
  const listening = once(server.server, 'listening');
  server.listen(port, host);
  await listening;
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function textOf({ ignored, recorded, repeated }: BounceAnswer): string {
  return recorded + repeated > 0
    ? '2.0.0 on record'
    : `2.0.0 taken, and nothing follows from it: ${ignored.join(', ')}`;
}

class SmtpReply extends Error {
  constructor(
    readonly responseCode: number,
    text: string,
  ) {
    super(text);
  }
}

function reply(code: number, text: string): SmtpReply {
  return new SmtpReply(code, text);
}

/** What is wrong with the mail is refused for good; anything else may work later. */
function replyTo(error: unknown, onError: (error: unknown) => void): SmtpReply {
  if (error instanceof SmtpReply) return error;
  if (error instanceof MalformedReport) return reply(554, `5.6.0 ${error.message}`);
  if (error instanceof Refused) {
    return error.code === mailUnderWay ? reply(451, `4.3.2 ${error.message}`) : reply(554, `5.7.0 ${error.message}`);
  }
  onError(error);
  return reply(451, '4.3.0 it cannot be taken now');
}
