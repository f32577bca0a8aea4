import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { readSettings, type Settings } from './index.js';
import { settingsTable } from './table.js';

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'tidings-settings-'));
});
afterAll(() => rmSync(cwd, { recursive: true }));

function read(env: Record<string, string>, folder = cwd): Settings {
  const reading = readSettings(env, [], folder);
  if (!('settings' in reading)) throw new Error(JSON.stringify(reading));
  return reading.settings;
}

function errorOf(env: Record<string, string>, folder = cwd): string {
  const reading = readSettings(env, [], folder);
  if (!('error' in reading)) throw new Error('no error');
  expect(reading.error).not.toContain('\n');
  return reading.error;
}

function folderWith(name: string, env: string): string {
  const folder = join(cwd, name);
  mkdirSync(folder);
  writeFileSync(join(folder, '.env'), env);
  return folder;
}

test('the defaults', () => {
  expect(read({})).toEqual({
    port: 3000,
    host: '127.0.0.1',
    dataDir: join(cwd, 'data'),
    eventStore: undefined,
    eventStoreCa: undefined,
    partitions: undefined,
    leaseSeconds: 10,
    directoryUrl: undefined,
    directoryToken: undefined,
    directorySteps: ['audience', 'channels', 'prepare'],
    directoryTimeoutSeconds: 5,
    onChannelFailure: 'continue',
    roles: ['api', 'bots', 'sagas', 'projectors'],
    smtp: undefined,
    smtpCa: undefined,
    smtpTimeoutSeconds: 30,
    mailFrom: { name: 'Tidings', address: 'tidings@localhost' },
    slackToken: undefined,
    slackApiUrl: 'https://slack.com/api/',
    teamEmail: undefined,
    blobLimitMegabytes: 100,
    attachmentRetentionDays: 30,
    otlpEndpoint: undefined,
    otlpTracesEndpoint: undefined,
    otlpHeaders: undefined,
    serviceName: 'tidings',
    tracesSampler: 'parentbased_always_on',
    tracesRatio: 1,
    logLevel: 'info',
  });
});

test('what is set', () => {
  const ca = join(cwd, 'ca.pem');
  writeFileSync(ca, `a comment\n${rootCertificates[0]}\n${rootCertificates[1]}\n`);
  expect(
    read({
      PORT: '0',
      HOST: '::1',
      TIDINGS_DATA_DIR: '/var/lib/tidings',
      TIDINGS_ROLES: 'sagas, bots',
      TIDINGS_SMTP_URL: 'smtp://ada%40example.com:p%3Ass@mail.example.com:2525',
      TIDINGS_SMTP_CA: 'ca.pem',
      TIDINGS_SMTP_TIMEOUT: '5',
      TIDINGS_MAIL_FROM: 'news@example.com',
      TIDINGS_SLACK_TOKEN: 'xoxb-0123456789',
      TIDINGS_SLACK_API_URL: 'http://127.0.0.1:8080/api/',
      TIDINGS_DIRECTORY_URL: 'http://127.0.0.1:8081/tidings/',
      TIDINGS_DIRECTORY_TOKEN: 'directory-token',
      TIDINGS_DIRECTORY_STEPS: 'prepare, audience',
      TIDINGS_DIRECTORY_TIMEOUT: '9',
      TIDINGS_ON_CHANNEL_FAILURE: 'stop',
      TIDINGS_TEAM_EMAIL: 'The team <team@example.com>',
      TIDINGS_BLOB_LIMIT_MB: '250',
      TIDINGS_ATTACHMENT_RETENTION_DAYS: '7',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example.com/otlp/v1/traces',
      OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20token, x-tenant=ours',
      OTEL_SERVICE_NAME: 'tidings-bots',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.05',
      TIDINGS_LOG_LEVEL: 'debug',
      OTHER: 'ignored',
    }),
  ).toEqual({
    port: 0,
    host: '::1',
    dataDir: '/var/lib/tidings',
    roles: ['sagas', 'bots'],
    smtp: { host: 'mail.example.com', port: 2525, secure: false, auth: { user: 'ada@example.com', pass: 'p:ss' } },
    smtpCa: `${rootCertificates[0]}\n${rootCertificates[1]}`,
    smtpTimeoutSeconds: 5,
    mailFrom: { address: 'news@example.com' },
    slackToken: 'xoxb-0123456789',
    slackApiUrl: 'http://127.0.0.1:8080/api/',
    directoryUrl: 'http://127.0.0.1:8081/tidings',
    directoryToken: 'directory-token',
    directorySteps: ['prepare', 'audience'],
    directoryTimeoutSeconds: 9,
    onChannelFailure: 'stop',
    teamEmail: { name: 'The team', address: 'team@example.com' },
    blobLimitMegabytes: 250,
    attachmentRetentionDays: 7,
    leaseSeconds: 10,
    otlpEndpoint: 'http://collector:4318/',
    otlpTracesEndpoint: 'https://traces.example.com/otlp/v1/traces',
    otlpHeaders: { authorization: 'Bearer token', 'x-tenant': 'ours' },
    serviceName: 'tidings-bots',
    tracesSampler: 'parentbased_traceidratio',
    tracesRatio: 0.05,
    logLevel: 'debug',
  });
});

test.each([
  ['smtp://localhost', { host: 'localhost', port: 587, secure: false }],
  ['smtp://127.0.0.1:25/', { host: '127.0.0.1', port: 25, secure: false }],
  ['smtps://mail.example.com', { host: 'mail.example.com', port: 465, secure: true }],
  ['smtp://[::1]:25', { host: '::1', port: 25, secure: false }],
])('%s', (url, smtp) => {
  expect(read({ TIDINGS_SMTP_URL: url }).smtp).toEqual(smtp);
});

test.each(['https://slack.example.com/proxied/api/', 'http://localhost/api/', 'http://[::1]:8080/api/'])(
  'TIDINGS_SLACK_API_URL=%s',
  (url) => {
    expect(read({ TIDINGS_SLACK_API_URL: url }).slackApiUrl).toBe(url);
  },
);

test.each([
  ['"Tidings, Inc." <a@example.com>', { name: 'Tidings, Inc.', address: 'a@example.com' }],
  ['<a@example.com>', { address: 'a@example.com' }],
  ['Tidings <a@mail>', { name: 'Tidings', address: 'a@mail' }],
])('from %s', (from, mailFrom) => {
  expect(read({ TIDINGS_MAIL_FROM: from }).mailFrom).toEqual(mailFrom);
});

test('a server of EventStoreDB, with the certificates that its URL names', () => {
  writeFileSync(join(cwd, 'event-store-ca.pem'), rootCertificates[0]!);
  const url = 'esdb+discover://ada:pass@db.example.com?tlsCAFile=event-store-ca.pem';
  const { eventStore } = read({ TIDINGS_EVENTSTORE_URL: url });
  expect(eventStore).toMatchObject({
    ca: rootCertificates[0],
    connection: { discover: true, tls: true, credentials: { username: 'ada', password: 'pass' } },
  });
  const missing = errorOf({ TIDINGS_EVENTSTORE_URL: 'esdb://ada:secret@db?tlsCAFile=nothing.pem' });
  expect(missing).toBe('TIDINGS_EVENTSTORE_URL has a tlsCAFile that names a file that cannot be read (ENOENT)');
});

test.each([
  'http://db.example.com:2113',
  'esdb://ada:secret@db.example.com?tls=false',
  'esdb://secret@db.example.com',
  'esdb://ada:secret@db.example.com?tlsVerifyCert=false',
])('TIDINGS_EVENTSTORE_URL=%s is refused and not shown', (url) => {
  const error = errorOf({ TIDINGS_EVENTSTORE_URL: url });
  expect(error).toMatch(/^TIDINGS_EVENTSTORE_URL must/);
  expect(error).not.toMatch(/secret|example/);
});

describe('the .env file', () => {
  test('is read, and the environment wins', () => {
    const folder = folderWith('file', 'PORT=4000\nTIDINGS_LOG_LEVEL="warn" # why\nOTHER=x\nTIDINGS_ROLES=\n');
    expect(read({ PORT: '5000' }, folder)).toMatchObject({
      port: 5000,
      logLevel: 'warn',
      roles: ['api', 'bots', 'sagas', 'projectors'],
    });
    expect(read({ PORT: '' }, folder)).toMatchObject({ port: 4000 });
  });

  test('holds unknown names', () => {
    expect(errorOf({}, folderWith('unknown', 'TIDINGS_NOPE=1'))).toBe('TIDINGS_NOPE is not a setting');
  });

  test('may say where the server is, and its key, for the command line', () => {
    const forOthers = { TIDINGS_URL: 'http://localhost:4000', TIDINGS_API_KEY: 'tdk_canary' };
    expect(read(forOthers, folderWith('url', 'TIDINGS_URL=x')).port).toBe(3000);
  });

  test('cannot be read', () => {
    mkdirSync(join(cwd, 'folder', '.env'), { recursive: true });
    expect(errorOf({}, join(cwd, 'folder'))).toBe('the .env file cannot be read (EISDIR)');
  });
});

describe('what is malformed', () => {
  test.each([
    ['TIDINGS_DIRECTORY_STEPS', 'audience,everything'],
    ['TIDINGS_DIRECTORY_TIMEOUT', '0'],
    ['TIDINGS_ON_CHANNEL_FAILURE', 'ignore'],
    ['PORT', '65536'],
    ['PORT', '80a'],
    ['PORT', '-1'],
    ['PORT', ' 80'],
    ['HOST', '127.0.0.256'],
    ['HOST', '127.0.0.1:80'],
    ['HOST', 'http://localhost'],
    ['HOST', '-example.com'],
    ['TIDINGS_API_KEYS_FILE', 'nothing.json'],
    ['TIDINGS_DATA_DIR', 'a\0b'],
    ['TIDINGS_ROLES', 'api,'],
    ['TIDINGS_ROLES', 'api,api'],
    ['TIDINGS_ROLES', 'everything'],
    ['TIDINGS_SMTP_CA', 'nothing.pem'],
    ['TIDINGS_SMTP_TIMEOUT', '0'],
    ['TIDINGS_SMTP_TIMEOUT', '1.5'],
    ['TIDINGS_MAIL_FROM', 'nobody'],
    ['TIDINGS_MAIL_FROM', 'A <a@example.com>, B <b@example.com>'],
    ['TIDINGS_MAIL_FROM', 'A\r\nBcc: x <a@example.com>'],
    ['TIDINGS_LOG_LEVEL', 'loud'],
    ['TIDINGS_BOUNCE_ADDRESS', 'bounces'],
    ['TIDINGS_BOUNCE_ADDRESS', 'bounces+all@mail.example.com'],
    ['TIDINGS_BOUNCE_ADDRESS', 'a-local-part-of-24-chars@mail.example.com'],
    ['TIDINGS_BOUNCE_ADDRESS', 'Bounces <bounces@mail.example.com>'],
    ['TIDINGS_BOUNCE_LISTEN', 'mail.example.com'],
    ['TIDINGS_BOUNCE_LISTEN', '127.0.0.1:65536'],
    ['OTEL_SERVICE_NAME', 'a\nb'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.1'],
    ['OTEL_TRACES_SAMPLER_ARG', '5%'],
    ['TIDINGS_FACADE', '2113'],
    ['TIDINGS_FACADE', '127.0.0.1:65536'],
    ['TIDINGS_FACADE', 'esdb://127.0.0.1:2113'],
    ['TIDINGS_FACADE_TLS_CERT', 'nothing.pem'],
    ['TIDINGS_FACADE_TLS_KEY', 'nothing.pem'],
    ['TIDINGS_FACADE_USER', 'a:b'],
  ])('%s=%j', (name, value) => {
    const error = errorOf({ [name]: value });
    expect(error).toContain(name);
    expect(error).toContain(JSON.stringify(value));
  });

  test.each([
    'mail.example.com',
    'http://user:secret@mail.example.com',
    'smtp://user:secret@',
    'smtp://user:secret@mail.example.com:99999',
    'smtp://user:secret@mail.example.com:0',
    'smtp://:secret@mail.example.com',
    'smtp://secret@mail.example.com',
    'smtp://user:%secret@mail.example.com',
    'smtp://user:secret@mail.example.com/path',
    'smtp://user:secret@mail.example.com?tls=no',
  ])('TIDINGS_SMTP_URL=%s, which is not shown', (url) => {
    const error = errorOf({ TIDINGS_SMTP_URL: url });
    expect(error).toMatch(/^TIDINGS_SMTP_URL must /);
    expect(error).not.toContain('secret');
    expect(error).not.toContain('example.com');
  });

  test.each(['secret', 'xoxb-secret with spaces', 'xoxb-secret\nX-Header: y', 'xoxb-sécret-token'])(
    'TIDINGS_SLACK_TOKEN=%j, which is not shown',
    (token) => {
      const error = errorOf({ TIDINGS_SLACK_TOKEN: token });
      expect(error).toMatch(/^TIDINGS_SLACK_TOKEN must /);
      expect(error).not.toContain('secret');
    },
  );

  test.each([
    'slack.com/api/',
    'https://slack.com/secret',
    'https://slack.com/api',
    'https://slack.com/api/secret',
    'http://slack.com/api/',
    'http://10.0.0.1/api/',
    'ftp://127.0.0.1/api/',
    'https://user:secret@slack.com/api/',
    'https://slack.com/api/?token=secret',
    'https://slack.com/api/#secret',
    'https://slack.com/api/?',
  ])('TIDINGS_SLACK_API_URL=%s, which is not shown', (url) => {
    const error = errorOf({ TIDINGS_SLACK_API_URL: url });
    expect(error).toMatch(/^TIDINGS_SLACK_API_URL must be a URL/);
    expect(error).not.toContain('secret');
  });

  test.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'secret.example.com:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'grpc://secret.example.com:4317'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://user:secret@example.com:4318'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'https://example.com/v1/traces?key=secret'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'secret'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'key=secret,'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'key=%secret'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'key=secret%0D%0Ax: y'],
  ])('%s=%j, which is not shown', (name, value) => {
    const error = errorOf({ [name]: value });
    expect(error).toMatch(new RegExp(`^${name} must `));
    expect(error).not.toMatch(/secret|example\.com/);
  });

  test.each([
    'directory.example.com',
    'ftp://directory.example.com/',
    'http://directory.example.com/',
    'https://user:secret@directory.example.com/',
    'https://directory.example.com/?key=secret',
    'https://directory.example.com/#secret',
  ])('TIDINGS_DIRECTORY_URL=%s, which is not shown', (url) => {
    const error = errorOf({ TIDINGS_DIRECTORY_URL: url });
    expect(error).toMatch(/^TIDINGS_DIRECTORY_URL must be a URL/);
    expect(error).not.toContain('secret');
  });

  test.each(['secret token', 'secret\nX-Header: y', 'sécret'])(
    'TIDINGS_DIRECTORY_TOKEN=%j, which is not shown',
    (token) => {
      const error = errorOf({ TIDINGS_DIRECTORY_TOKEN: token });
      expect(error).toMatch(/^TIDINGS_DIRECTORY_TOKEN must /);
      expect(error).not.toContain('secret');
    },
  );

  test('a file that is no certificate', () => {
    writeFileSync(join(cwd, 'bad.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    expect(errorOf({ TIDINGS_SMTP_CA: 'bad.pem' })).toMatch(/PEM/);
  });

  test('several at once are one line', () => {
    expect(errorOf({ PORT: 'x', TIDINGS_LOG_LEVEL: 'y' })).toMatch(/^PORT must .*; TIDINGS_LOG_LEVEL must /);
  });
});

test.each([
  ['TIDINGS_SMPT_URL', 'TIDINGS_SMPT_URL is not a setting: did you mean TIDINGS_SMTP_URL?'],
  ['TIDINGS_DATADIR', 'TIDINGS_DATADIR is not a setting: did you mean TIDINGS_DATA_DIR?'],
  ['tidings_log_level', 'tidings_log_level is not a setting: did you mean TIDINGS_LOG_LEVEL?'],
  ['TIDINGS_SOMETHING_ELSE', 'TIDINGS_SOMETHING_ELSE is not a setting'],
])('%s is unknown', (name, error) => {
  expect(errorOf({ [name]: 'secret' })).toBe(error);
});

describe('arguments', () => {
  test.each(['--help', '-h'])('%s', (flag) => {
    const reading = readSettings({ PORT: 'malformed' }, [flag], cwd);
    for (const { name, description } of Object.values(settingsTable)) {
      expect(reading).toMatchObject({ output: expect.stringContaining(name) });
      expect(reading).toMatchObject({ output: expect.stringContaining(description) });
    }
  });

  test('--version', () => {
    expect(readSettings({}, ['--version'], cwd)).toEqual({ output: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  });

  test.each(['--port', 'start', '-x'])('%s is unknown', (flag) => {
    expect(readSettings({}, [flag], cwd)).toEqual({ error: expect.stringMatching(/^unknown argument/) });
  });
});
