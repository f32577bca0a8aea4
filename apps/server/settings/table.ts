import {
  certificateFile,
  integer,
  listOf,
  loopbackHost,
  mailbox,
  oneOf,
  path,
  smtpServer,
  type Parse,
} from './parse.js';

export const roles = ['api', 'bots', 'sagas', 'projectors'] as const;
export const logLevels = ['error', 'warn', 'info', 'debug'] as const;

/** What the server can be told. */
export interface Setting<T> {
  /** Of the environment variable. */
  readonly name: string;
  readonly parse: Parse<T>;
  /** As text, as if it had been set. */
  readonly default?: string;
  /** What it means that it is not set, where it has no default. */
  readonly unset?: string;
  /** One line. */
  readonly description: string;
  /** Its value is never shown. */
  readonly secret?: true;
}

interface WithDefault<T> extends Setting<T> {
  readonly default: string;
}

interface WithoutDefault<T> extends Setting<T> {
  readonly unset: string;
}

function required<T>(setting: WithDefault<T>): WithDefault<T> {
  return setting;
}

function optional<T>(setting: WithoutDefault<T>): WithoutDefault<T> {
  return setting;
}

/** Every setting, under its name in the code. The help text and docs/settings.md are made from this table. */
export const settingsTable = {
  port: required({
    name: 'PORT',
    parse: integer(0, 65_535),
    default: '3000',
    description: 'Port of the API; 0 takes any free one.',
  }),
  host: required({
    name: 'HOST',
    parse: loopbackHost,
    default: '127.0.0.1',
    description: 'Address that the API listens on; loopback only, as there is no authentication yet.',
  }),
  dataDir: required({
    name: 'TIDINGS_DATA_DIR',
    parse: path,
    default: './data',
    description: 'Folder of the store and of everything else that is kept.',
  }),
  roles: required({
    name: 'TIDINGS_ROLES',
    parse: listOf(roles),
    default: roles.join(','),
    description: 'What this process does: some of the roles, with commas between them.',
  }),
  smtp: optional({
    name: 'TIDINGS_SMTP_URL',
    parse: smtpServer,
    unset: 'sandbox: mail is kept in the data folder and not sent',
    description: 'Mail server, smtp(s)://user:password@host:port; the port is 587, or 465 for smtps, unless given.',
    secret: true,
  }),
  smtpCa: optional({
    name: 'TIDINGS_SMTP_CA',
    parse: certificateFile,
    unset: 'only the well-known authorities are trusted',
    description: 'File of further CA certificates (PEM) to trust when talking to the mail server.',
  }),
  smtpTimeoutSeconds: required({
    name: 'TIDINGS_SMTP_TIMEOUT',
    parse: integer(1, 600),
    default: '30',
    description: 'Seconds that the mail server may stay silent before an attempt counts as failed, 1 to 600.',
  }),
  mailFrom: required({
    name: 'TIDINGS_MAIL_FROM',
    parse: mailbox,
    default: 'Tidings <tidings@localhost>',
    description: 'Sender of the mail: an address, or a name and an address in angle brackets.',
  }),
  logLevel: required({
    name: 'TIDINGS_LOG_LEVEL',
    parse: oneOf(logLevels),
    default: 'info',
    description: `How much is logged: ${logLevels.join(', ')}.`,
  }),
};

type Table = typeof settingsTable;

type ValueOf<S> = S extends { readonly parse: Parse<infer T> }
  ? S extends { readonly default: string }
    ? T
    : T | undefined
  : never;

/** All settings, parsed; see the table for what they mean. Paths are absolute. */
export type Settings = { readonly [Key in keyof Table]: ValueOf<Table[Key]> };

export type Role = (typeof roles)[number];
export type LogLevelSetting = (typeof logLevels)[number];
