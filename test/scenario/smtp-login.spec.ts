import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SmtpDouble, type SmtpDoubleOptions } from '#libs/testing';
import { Api, startServer, temporaryFolder, type ServerProcess } from '../support/index.js';

const credentials = { user: 'tidings@example.com', password: 'p@ss:w/örd %41' };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let smtp: SmtpDouble;
let server: ServerProcess;
let api: Api;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  await server?.kill();
  await smtp?.close();
  await folder?.remove();
});

async function start(options: SmtpDoubleOptions, trusted: boolean, password = credentials.password): Promise<void> {
  smtp = await SmtpDouble.start(options);
  const ca = join(folder.path, 'ca.pem');
  await writeFile(ca, smtp.ca);
  server = await startServer(folder.path, {
    TIDINGS_SMTP_URL: smtp.url.replace(encodeURIComponent(credentials.password), encodeURIComponent(password)),
    ...(trusted && { TIDINGS_SMTP_CA: ca }),
  });
  api = new Api(server.url);
  await api.putRecipient('ada', 'ada@example.com');
}

test.each(['starttls', 'tls'] as const)(
  'logs in over TLS (%s), trusting the authority in the settings',
  async (security) => {
    await start({ security, credentials }, true);
    const view = await api.finalView(await api.notify('ada'));
    expect(view.status).toBe('sent');
    expect(smtp.mails).toMatchObject([{ secure: true, user: credentials.user }]);
  },
);

test('a certificate that nobody vouches for: failed, and nothing is sent', async () => {
  await start({ security: 'starttls', credentials }, false);
  const view = await api.finalView(await api.notify('ada'));
  expect(view).toMatchObject({ status: 'failed', reason: 'couldNotSend' });
  expect(view.channels.email!.operations[0]!.error).toMatchObject({ reason: 'permanent', stage: 'connect' });
  expect(smtp.mails).toEqual([]);
});

test('a wrong password: failed at the login, and the password is nowhere', async () => {
  const wrong = 'not-the-pässword-canary';
  await start({ security: 'starttls', credentials }, true, wrong);
  const id = await api.notify('ada');
  const view = await api.finalView(id);
  expect(view).toMatchObject({ status: 'failed', reason: 'couldNotSend' });
  expect(view.channels.email!.operations[0]!.error).toMatchObject({
    reason: 'permanent',
    stage: 'authenticate',
    code: 535,
  });
  const events = await api.events(id);
  expect(JSON.stringify(events)).toContain('AUTH ');
  await server.stop();
  const login = `\0${credentials.user}\0${wrong}`;
  for (const secret of [wrong, ...[wrong, login].map((text) => Buffer.from(text).toString('base64'))]) {
    for (const place of [JSON.stringify(view), JSON.stringify(events), server.output]) {
      expect(place).not.toContain(secret);
    }
  }
});
