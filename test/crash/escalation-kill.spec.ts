import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { keyOf } from '#libs/kernel';
import { SmtpDouble } from '#libs/testing';
import { eventually, readStore, temporaryFolder } from '../support/index.js';
import { CrashingServer } from './support/crashing-server-process.js';
import { expectWholeStreams } from './support/evidence.js';

/** What is appended for a failure once it stands, in order, and how many notifications fail in the trial. */
const steps: readonly (readonly [type: string, failures: number, nth?: number])[] = [
  ['notification.notify-internal-team.v1', 1],
  ['escalation.failures-gathered.v1', 3],
  ['escalation.decided.v1', 3],
  ['email.send.v1', 3],
  ['notification.internal-team-notified.v1', 3],
  ['notification.internal-team-notified.v1', 3, 3],
];
const trials = steps.flatMap(([type, failures, nth = 1]) =>
  (['before', 'after'] as const).map((moment) => ({ moment, type, nth, failures })),
);

let smtp: SmtpDouble;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: CrashingServer;

async function start(): Promise<void> {
  server = await CrashingServer.start(folder.path, smtp.url, { TIDINGS_TEAM_EMAIL: 'team@example.org' });
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

test.each(trials)('killed $moment $type ($nth): all are told in one mail', async ({ failures, ...point }) => {
  // The client repeats what was not answered.
  const keys = Array.from({ length: failures }, (_, index) => `key-${index}`);
  const post = (key: string) => server.api.notify('nobody', {}, { 'idempotency-key': key });
  await server.arm(point);
  await Promise.all(keys.map((key) => post(key).catch(() => undefined)));
  await server.died;
  await start();

  const ids = await Promise.all(keys.map(post));
  const [mail] = await smtp.received(1);
  const views = await eventually(async () => {
    const all = await Promise.all(ids.map((id) => server.api.view(id)));
    return all.every(({ escalation }) => escalation !== null) ? all : undefined;
  });
  expect(new Set(views.map(({ escalation }) => escalation!.operationId)).size).toBe(1);
  expect(mail!.parsed.subject).toMatch(new RegExp(`^${failures} notification`));
  for (const id of ids) expect(mail!.parsed.text).toContain(id);

  server.kill();
  await server.died;
  const records = await readStore(folder.path);
  expectWholeStreams(records);
  const keysOf = (type: string) => records.filter((one) => one.type === type).map(({ stream }) => keyOf(stream));
  expect(keysOf('escalation.decided.v1')).toHaveLength(1);
  expect(keysOf('email.send.v1')).toHaveLength(1);
  expect(keysOf('notification.internal-team-notified.v1').sort()).toEqual([...ids].sort());
  expect(smtp.mails).toHaveLength(1);
});
