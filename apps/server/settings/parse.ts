import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { MalformedS3Url, parseS3Url, type S3Location } from '#libs/blob';
import { MalformedConnection, parseConnection, type EventStoreDbConnection } from '#libs/store/eventstoredb';
import { isEmailAddress, isHeaderSafe } from '#libs/validation';
import { MalformedRedisUrl, parseRedisUrl, type RedisConnection } from '#libs/vault';

/** Reads a setting's text; throws `Malformed`. `cwd` is what relative paths start from. */
export type Parse<T> = (text: string, cwd: string) => T;

/** A setting that cannot be read as it is; the message says what it has to be and never holds the value. */
export class Malformed extends Error {}

/** A mail server. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (`smtps://`); otherwise STARTTLS where the server offers it. */
  readonly secure: boolean;
  readonly auth?: { readonly user: string; readonly pass: string };
}

/** A sender. */
export interface Mailbox {
  readonly name?: string;
  readonly address: string;
}

export function integer(min: number, max: number): Parse<number> {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max)) throw new Malformed(`must be a whole number from ${min} to ${max}`);
    return value;
  };
}

export function oneOf<const T extends string>(choices: readonly T[]): Parse<T> {
  return (text) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) throw new Malformed(`must be one of ${choices.join(', ')}`);
    return choice;
  };
}

/** Some of the choices, with commas between them. */
export function listOf<const T extends string>(choices: readonly T[]): Parse<readonly T[]> {
  return (text, cwd) => {
    const parts = text.split(',').map((part) => part.trim());
    if (new Set(parts).size !== parts.length) throw new Malformed('must not name one twice');
    try {
      return parts.map((part) => oneOf(choices)(part, cwd));
    } catch {
      throw new Malformed(`must be a list of ${choices.join(', ')} with commas between them`);
    }
  };
}

/** A path, made absolute. */
export const path: Parse<string> = (text, cwd) => {
  if (text.includes('\0')) throw new Malformed('must be a path');
  return resolve(cwd, text);
};

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(host);
}

/** The certificates of a PEM file. */
export const certificateFile: Parse<string> = (text, cwd) => {
  let pem: string;
  try {
    pem = readFileSync(resolve(cwd, text), 'utf8');
  } catch (error) {
    throw new Malformed(`names a file that cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0 || !certificates.every(isCertificate)) {
    throw new Malformed('must name a file of certificates in PEM format');
  }
  return certificates.join('\n');
};

/** Where the events are kept, and the certificates that its URL names. */
export interface EventStoreServer {
  readonly connection: EventStoreDbConnection;
  /** PEM. */
  readonly ca?: string;
}

export const eventStore: Parse<EventStoreServer> = (text, cwd) => {
  try {
    const connection = parseConnection(text);
    const { tlsCaFile } = connection;
    return { connection, ...(tlsCaFile !== undefined && { ca: certificateFile(tlsCaFile, cwd) }) };
  } catch (error) {
    if (error instanceof MalformedConnection) throw new Malformed(error.message);
    if (error instanceof Malformed) throw new Malformed(`has a tlsCAFile that ${error.message}`);
    throw error;
  }
};

export const redisUrl: Parse<RedisConnection> = (text) => {
  try {
    return parseRedisUrl(text);
  } catch (error) {
    throw error instanceof MalformedRedisUrl ? new Malformed(error.message) : error;
  }
};

export const keyStoreId: Parse<string> = (text) => {
  if (!/^[\w-]{1,64}$/.test(text))
    throw new Malformed('must be the id of a key store, as the refusal at the start tells it');
  return text;
};

export const s3Url: Parse<S3Location> = (text) => {
  try {
    return parseS3Url(text);
  } catch (error) {
    throw error instanceof MalformedS3Url ? new Malformed(error.message) : error;
  }
};

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

/** An `http` URL is one of this machine: anywhere else what is asked and answered would be readable on the way. */
export const directoryUrl: Parse<string> = (text) => {
  const shape =
    'must be a URL like https://directory.example.com/tidings, without credentials; http on this machine only';
  if (!URL.canParse(text) || /[?#]/.test(text)) throw new Malformed(shape);
  const { protocol, hostname, username, password, href } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname.replace(/^\[(.*)\]$/, '$1')));
  if (!isSafe || username !== '' || password !== '') throw new Malformed(shape);
  return href.replace(/\/+$/, '');
};

/** As it stands in an Authorization header. */
export const bearerToken: Parse<string> = (text) => {
  if (!/^[!-~]+$/.test(text)) throw new Malformed('must be a token of visible ASCII characters, without spaces');
  return text;
};

const smtpShape = 'must be like smtp://user:password@host:587 or smtps://user:password@host:465';

export const smtpServer: Parse<SmtpServer> = (text) => {
  if (!URL.canParse(text)) throw new Malformed(smtpShape);
  const url = new URL(text);
  const isSmtp = url.protocol === 'smtp:' || url.protocol === 'smtps:';
  const hasMore = (url.pathname !== '' && url.pathname !== '/') || url.search !== '' || url.hash !== '';
  if (!isSmtp || hasMore || url.hostname === '' || url.port === '0') throw new Malformed(smtpShape);
  if ((url.username === '') !== (url.password === ''))
    throw new Malformed('must have both a user and a password or neither');
  const secure = url.protocol === 'smtps:';
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    ...(url.username !== '' && { auth: { user: decoded(url.username), pass: decoded(url.password) } }),
  };
};

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Malformed('must have its user and password percent-encoded');
  }
}

/** As it stands in the Authorization header. */
export const slackToken: Parse<string> = (text) => {
  if (!/^[\w.-]{8,}$/.test(text)) throw new Malformed('must be a token like xoxb-…: letters, digits and . _ -');
  return text;
};

/** An `http` URL is one of this machine: anywhere else the token would be readable on the way. */
export const slackApiUrl: Parse<string> = (text) => {
  const shape = 'must be a URL that ends in /api/, like https://slack.com/api/; http on this machine only';
  if (!URL.canParse(text)) throw new Malformed(shape);
  const { protocol, hostname, pathname, username, password, search, hash, href } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname.replace(/^\[(.*)\]$/, '$1')));
  const hasMore = [username, password, search, hash].some((part) => part !== '');
  if (!isSafe || hasMore || !pathname.endsWith('/api/') || /[?#]/.test(text)) throw new Malformed(shape);
  return href;
};

/** `address` or `Name <address>`. The address may be of a host without a dot, as on a developer's machine. */
export const mailbox: Parse<Mailbox> = (text) => {
  const match = /^(?:"?([^"<>]*?)"?\s*<([^<>]+)>|([^<>]+))$/.exec(text.trim());
  const name = match?.[1]?.trim() ?? '';
  const address = match?.[2] ?? match?.[3] ?? '';
  const isAddress = isEmailAddress(address) || /^[\w+-]+(\.[\w+-]+)*@[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i.test(address);
  if (!isAddress || address.length > 254 || !isHeaderSafe(name)) {
    throw new Malformed('must be like tidings@example.com or Tidings <tidings@example.com>');
  }
  return name === '' ? { address } : { name, address };
};
