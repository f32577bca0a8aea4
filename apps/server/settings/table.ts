import { stepNames } from '#libs/notification';
import {
  bearerToken,
  certificateFile,
  directoryUrl,
  eventStore,
  integer,
  keyStoreId,
  listOf,
  mailbox,
  oneOf,
  path,
  redisUrl,
  s3Url,
  slackApiUrl,
  slackToken,
  smtpServer,
  type Parse,
} from './parse.js';
import { apiKeysFile, listenHost } from './access.js';
import { bounceAddress, listenAddress } from './bounces.js';
import { facadeAddress, password, privateKeyFile, userName } from './facade.js';
import { collectorUrl, headerList, label, ratio, samplerNames } from './tracing.js';

export const roles = ['api', 'bots', 'sagas', 'projectors'] as const;
export const logLevels = ['error', 'warn', 'info', 'debug'] as const;

/** Names that look like settings and belong to another program, the command line: the server passes over them. */
export const namesOfOthers: readonly string[] = ['TIDINGS_URL', 'TIDINGS_API_KEY'];

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
    description: 'Port of the API; without the role api, of health, metrics and consumers. 0 takes any free one.',
  }),
  host: required({
    name: 'HOST',
    parse: listenHost,
    default: '127.0.0.1',
    description: 'Address that the API listens on; only a loopback address unless there are API keys.',
  }),
  apiKeysFile: optional({
    name: 'TIDINGS_API_KEYS_FILE',
    parse: apiKeysFile,
    unset: 'no key is asked for',
    description: 'File of API keys, as `tidings keys create` makes it: what the API does needs one (docs/access.md).',
  }),
  dataDir: required({
    name: 'TIDINGS_DATA_DIR',
    parse: path,
    default: './data',
    description: 'Folder of the store and of everything else that is kept.',
  }),
  eventStore: optional({
    name: 'TIDINGS_EVENTSTORE_URL',
    parse: eventStore,
    unset: 'the embedded store in the data folder',
    description: 'Server of EventStoreDB to keep the events in, esdb://host:2113 (docs/eventstoredb.md).',
    secret: true,
  }),
  eventStoreCa: optional({
    name: 'TIDINGS_EVENTSTORE_CA',
    parse: certificateFile,
    unset: 'the tlsCAFile of the URL, else the well-known authorities',
    description: 'File of the CA certificates (PEM) to trust when talking to EventStoreDB.',
  }),
  partitions: optional({
    name: 'TIDINGS_PARTITIONS',
    parse: integer(1, 64),
    unset: '8 with EventStoreDB; the embedded store is not split',
    description:
      'Parts that the work is split into for processes that share an EventStoreDB, 1 to 64; changed only while all are stopped.',
  }),
  leaseSeconds: required({
    name: 'TIDINGS_LEASE_SECONDS',
    parse: integer(1, 300),
    default: '10',
    description:
      'Seconds after which others take over what a process on EventStoreDB does that gives no sign of life, 1 to 300.',
  }),
  keys: optional({
    name: 'TIDINGS_KEYS_URL',
    parse: redisUrl,
    unset: 'keys.db in the data folder, for this process alone',
    description: 'Redis to keep the keys of personal data in, redis(s)://user:password@host (docs/shared-stores.md).',
    secret: true,
  }),
  keysCa: optional({
    name: 'TIDINGS_KEYS_CA',
    parse: certificateFile,
    unset: 'the well-known authorities',
    description: 'File of the CA certificates (PEM) to trust when talking to Redis.',
  }),
  acceptedKeyStore: optional({
    name: 'TIDINGS_ACCEPT_KEY_STORE',
    parse: keyStoreId,
    unset: 'another key store than the one that the event store names is refused',
    description: 'Id of a key store to go on with where that one is lost, and with it what was sealed.',
  }),
  blobs: optional({
    name: 'TIDINGS_BLOBS_URL',
    parse: s3Url,
    unset: 'the folder blobs in the data folder, for this process alone',
    description: 'Bucket of an S3 API to keep blobs in, s3://bucket/prefix?endpoint=https://… (docs/shared-stores.md).',
    secret: true,
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
  bounceAddress: optional({
    name: 'TIDINGS_BOUNCE_ADDRESS',
    parse: bounceAddress,
    unset: 'mail comes back to its sender',
    description:
      'Address that mail comes back to when it cannot be delivered, each mail under one of its own (docs/bounces.md).',
  }),
  bounceListen: optional({
    name: 'TIDINGS_BOUNCE_LISTEN',
    parse: listenAddress,
    unset: 'what comes back has to be posted to /v1/bounces',
    description:
      'Host and port, like 127.0.0.1:2525, where mail that comes back is taken over SMTP; a port alone is of this machine only.',
  }),
  slackToken: optional({
    name: 'TIDINGS_SLACK_TOKEN',
    parse: slackToken,
    unset: 'sandbox: messages are kept in the data folder and not posted',
    description: 'Token of the Slack app that posts, xoxb-…; it needs the scopes chat:write and files:write.',
    secret: true,
  }),
  slackApiUrl: required({
    name: 'TIDINGS_SLACK_API_URL',
    parse: slackApiUrl,
    default: 'https://slack.com/api/',
    description: 'Where the methods of the Slack Web API are; https, or http on this machine, and ends in /api/.',
    secret: true,
  }),
  directoryUrl: optional({
    name: 'TIDINGS_DIRECTORY_URL',
    parse: directoryUrl,
    unset: 'whom to tell, and how, is decided by the recipients and their preferences',
    description:
      'Directory of your own that is asked whom to tell and how (docs/directory.md); http on this machine only.',
    secret: true,
  }),
  directoryToken: optional({
    name: 'TIDINGS_DIRECTORY_TOKEN',
    parse: bearerToken,
    unset: 'the directory is asked without authorisation',
    description: 'Bearer token for the directory.',
    secret: true,
  }),
  directorySteps: required({
    name: 'TIDINGS_DIRECTORY_STEPS',
    parse: listOf(stepNames),
    default: stepNames.join(','),
    description: 'What the directory is asked for, where there is one: some of the steps, with commas between them.',
  }),
  directoryTimeoutSeconds: required({
    name: 'TIDINGS_DIRECTORY_TIMEOUT',
    parse: integer(1, 60),
    default: '5',
    description: 'Seconds that the directory may take for one answer, 1 to 60; it is asked three times at most.',
  }),
  onChannelFailure: required({
    name: 'TIDINGS_ON_CHANNEL_FAILURE',
    parse: oneOf(['continue', 'stop']),
    default: 'continue',
    description: 'Where one channel cannot be prepared: continue sends on the others, stop sends on none.',
  }),
  blobLimitMegabytes: required({
    name: 'TIDINGS_BLOB_LIMIT_MB',
    parse: integer(1, 10_000),
    default: '100',
    description: 'Largest upload to attach, in megabytes of 1,048,576 bytes, 1 to 10000.',
  }),
  attachmentRetentionDays: required({
    name: 'TIDINGS_ATTACHMENT_RETENTION_DAYS',
    parse: integer(1, 3_650),
    default: '30',
    description:
      'Days that the attachments of a notification, and what the sandbox kept of it, are kept after its end, 1 to 3650.',
  }),
  teamEmail: optional({
    name: 'TIDINGS_TEAM_EMAIL',
    parse: mailbox,
    unset: 'nobody is told',
    description:
      'Whom to tell by mail of notifications that fail: an address, or a name and an address in angle brackets.',
  }),
  facade: optional({
    name: 'TIDINGS_FACADE',
    parse: facadeAddress,
    unset: 'EventStoreDB clients cannot read the store',
    description:
      'Host and port, like 127.0.0.1:2113, where EventStoreDB clients can read and subscribe (docs/facade.md); loopback, or with TLS and a user.',
  }),
  facadeCertificate: optional({
    name: 'TIDINGS_FACADE_TLS_CERT',
    parse: certificateFile,
    unset: 'EventStoreDB clients speak plain text',
    description: 'File of the certificate (PEM) that EventStoreDB clients are shown, and of those that vouch for it.',
  }),
  facadeKey: optional({
    name: 'TIDINGS_FACADE_TLS_KEY',
    parse: privateKeyFile,
    unset: 'EventStoreDB clients speak plain text',
    description: "File of the certificate's private key (PEM).",
  }),
  facadeUser: optional({
    name: 'TIDINGS_FACADE_USER',
    parse: userName,
    unset: 'EventStoreDB clients need no credentials',
    description: 'Name that EventStoreDB clients log in with; needs TLS.',
  }),
  facadePassword: optional({
    name: 'TIDINGS_FACADE_PASSWORD',
    parse: password,
    unset: 'EventStoreDB clients need no credentials',
    description: 'Password that EventStoreDB clients log in with, 12 to 200 characters.',
    secret: true,
  }),
  otlpEndpoint: optional({
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    parse: collectorUrl,
    unset: 'there are no traces',
    description:
      'Collector of OpenTelemetry that traces are sent to (docs/tracing.md), at v1/traces under this URL: OTLP over HTTP.',
    secret: true,
  }),
  otlpTracesEndpoint: optional({
    name: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    parse: collectorUrl,
    unset: 'v1/traces under OTEL_EXPORTER_OTLP_ENDPOINT',
    description: 'Where traces are sent, as the whole URL.',
    secret: true,
  }),
  otlpHeaders: optional({
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    parse: headerList,
    unset: 'none',
    description: 'Headers for the collector, name=value with commas between them; values are percent-encoded.',
    secret: true,
  }),
  serviceName: required({
    name: 'OTEL_SERVICE_NAME',
    parse: label,
    default: 'tidings',
    description: 'What this process is called in traces.',
  }),
  tracesSampler: required({
    name: 'OTEL_TRACES_SAMPLER',
    parse: oneOf(samplerNames),
    default: 'parentbased_always_on',
    description: `Which traces are sent: ${samplerNames.join(', ')}.`,
  }),
  tracesRatio: required({
    name: 'OTEL_TRACES_SAMPLER_ARG',
    parse: ratio,
    default: '1',
    description: 'Share of the traces that are sent, 0 to 1, for the samplers that end in traceidratio.',
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
