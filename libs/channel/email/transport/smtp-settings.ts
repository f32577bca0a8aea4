import { isIP } from 'node:net';
import { TidingsError } from '#libs/kernel';
import type { SMTPConnectionOptions } from 'nodemailer/lib/smtp-connection';

/** Which server, and how patient to be with it. All times in milliseconds. */
export interface SmtpSettings {
  /**
   * `smtp://[user:password@]host[:port]` (port 587; STARTTLS where the server offers it, and always with
   * credentials) or `smtps://…` (port 465; TLS from the start). User and password percent-encoded.
   */
  readonly url: string;
  /** Certificate authority, PEM, that replaces the well-known ones. */
  readonly ca?: string | undefined;
  /** What the client calls itself in EHLO; the machine's full name otherwise. */
  readonly clientName?: string | undefined;
  /** Connections at the same time: 5. */
  readonly maxConnections?: number | undefined;
  /** Mails over one connection: 100. */
  readonly maxMessages?: number | undefined;
  /** Resolving, connecting, greeting and TLS together: 10 s. */
  readonly connectionTimeout?: number | undefined;
  /** Waiting for the greeting: 10 s. */
  readonly greetingTimeout?: number | undefined;
  /** Silence within a conversation: 60 s. */
  readonly socketTimeout?: number | undefined;
  /** How long an unused connection stays open: 30 s. */
  readonly idleTimeout?: number | undefined;
}

export interface Credentials {
  readonly user: string;
  readonly pass: string;
}

/** The settings in the terms of those who use them. */
export interface SmtpEndpoint {
  readonly connection: SMTPConnectionOptions;
  readonly credentials: Credentials | undefined;
  readonly maxConnections: number;
  readonly maxMessages: number;
  readonly idleTimeout: number;
}

/** The URL in the settings is not one of an SMTP server. Its text is not repeated: it may hold a password. */
export class InvalidSmtpUrl extends TidingsError {
  readonly code = 'invalid-smtp-url';
}

/** Reads the settings; throws `InvalidSmtpUrl`. */
export function endpointOf(settings: SmtpSettings): SmtpEndpoint {
  const url = parsed(settings.url);
  const secure = url.protocol === 'smtps:';
  const credentials = credentialsOf(url);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const connectionTimeout = settings.connectionTimeout ?? 10_000;
  return {
    connection: {
      host,
      port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
      secure,
      requireTLS: !secure && credentials !== undefined,
      name: settings.clientName,
      // Keeps a name that resolves to loopback only usable.
      allowInternalNetworkInterfaces: true,
      connectionTimeout,
      dnsTimeout: connectionTimeout,
      greetingTimeout: settings.greetingTimeout ?? 10_000,
      socketTimeout: settings.socketTimeout ?? 60_000,
      socketCloseTimeout: 1_000,
      transactionLog: true,
      tls: {
        minVersion: 'TLSv1.2',
        ...(settings.ca === undefined ? {} : { ca: settings.ca }),
        ...(isIP(host) ? {} : { servername: host }),
      },
    },
    credentials,
    maxConnections: settings.maxConnections ?? 5,
    maxMessages: settings.maxMessages ?? 100,
    idleTimeout: settings.idleTimeout ?? 30_000,
  };
}

function parsed(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '')
    throw new InvalidSmtpUrl('not a URL of the form smtp://[user:password@]host[:port] or smtps://…');
  if (url.pathname.length > 1 || url.search !== '' || url.hash !== '')
    throw new InvalidSmtpUrl('an SMTP URL ends after host and port');
  return url;
}

function credentialsOf({ username, password }: URL): Credentials | undefined {
  if (username === '' && password === '') return undefined;
  if (username === '' || password === '') throw new InvalidSmtpUrl('an SMTP URL has both user and password, or none');
  try {
    return { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
  } catch {
    throw new InvalidSmtpUrl('user and password of an SMTP URL are percent-encoded');
  }
}
