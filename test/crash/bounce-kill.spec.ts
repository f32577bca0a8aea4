import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SmtpDouble } from '#libs/testing';
import { postfixReport } from '#libs/testing/delivery-reports';
import { eventually, handOver, readStore, temporaryFolder } from '../support/index.js';
import { CrashingServer } from './support/crashing-server-process.js';
import { expectWholeStreams } from './support/evidence.js';

const ada = 'ada@example.com';
const team = 'team@example.org';

/** What is appended for a mail that comes back, in order. */
const steps = [
  'email.bounced.v1',
  'recipient.address-undeliverable.v1',
  'notification.notify-internal-team.v1',
  'notification.internal-team-notified.v1',
];
const trials = steps.flatMap((type) => (['before', 'after'] as const).map((moment) => ({ moment, type })));

let smtp: SmtpDouble;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: CrashingServer;

async function start(): Promise<void> {
  server = await CrashingServer.start(folder.path, smtp.url, {
    TIDINGS_TEAM_EMAIL: team,
    TIDINGS_BOUNCE_ADDRESS: 'bounces@mail.example.org',
    TIDINGS_BOUNCE_LISTEN: '127.0.0.1:0',
  });
}

beforeEach(async () => {
  [smtp, folder] = await Promise.all([SmtpDouble.start({ security: 'plain' }), temporaryFolder()]);
  await start();
});

afterEach(async () => {
  server.kill();
  await server.died;
  await smtp.close();
  await folder.remove();
});

test.each(trials)('killed $moment $type: what a mail that came back leads to stands once', async (point) => {
  await server.api.putRecipient('ada', ada);
  const { id } = await server.api.finalView(await server.api.notify('ada'));
  const { envelope, parsed } = smtp.mails[0]!;
  const report = postfixReport({ to: envelope.from, recipient: ada, messageId: parsed.messageId! });
  await server.arm(point);
  const first = await handOver(server.bouncesUrl!, envelope.from, report).catch(() => undefined);
  await server.died;
  await start();
  // A mail server comes back with what was not answered, and with that only.
  if (first === undefined) expect((await handOver(server.bouncesUrl!, envelope.from, report)).code).toBe(250);
  else expect(first.code).toBe(250);

  await eventually(async () => {
    const { delivery, escalation } = await server.api.view(id);
    return delivery?.bounced === 1 && escalation !== null ? true : undefined;
  });
  await eventually(async () => {
    const { body } = await server.api.request('GET', '/v1/recipients/ada');
    return JSON.stringify(body).includes('"undeliverable":{') ? true : undefined;
  });
  await eventually(async () => smtp.mails.find((mail) => mail.envelope.to.includes(team)));

  server.kill();
  await server.died;
  const records = await readStore(folder.path);
  expectWholeStreams(records);
  for (const step of steps) expect(records.filter(({ type }) => type === step)).toHaveLength(1);
  // One that was on its way when the process was killed is sent again, as the same mail.
  expect(new Set(smtp.mails.map((mail) => mail.parsed.messageId)).size).toBe(2);
});
