import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { correlationOf } from '#libs/kernel';
import { SmtpDouble } from '#libs/testing';
import { eventually, readStore, temporaryFolder } from '../support/index.js';
import { CrashingServer } from './support/crashing-server-process.js';
import { expectWholeStreams, terminalTypes } from './support/evidence.js';

/** What is appended when a notification is cancelled that waits for its time, or for its next attempt, in order. */
const steps = {
  scheduled: ['notification.cancel.v1', 'notification.cancelled.v1', 'runtime.timer-cancelled.v1'],
  retrying: ['notification.cancel.v1', 'email.failed.v1', 'notification.cancelled.v1'],
} as const;
const trials = Object.entries(steps).flatMap(([when, types]) =>
  types.flatMap((type) => (['before', 'after'] as const).map((moment) => ({ when, moment, type }))),
);

let smtp: SmtpDouble;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: CrashingServer;

beforeEach(async () => {
  [smtp, folder] = await Promise.all([SmtpDouble.start({ security: 'plain' }), temporaryFolder()]);
  server = await CrashingServer.start(folder.path, smtp.url);
  await server.api.putRecipient('ada', 'ada@example.com');
});

afterEach(async () => {
  server.kill();
  await server.died;
  await smtp.close();
  await folder.remove();
});

test.each(trials)('$when, killed $moment $type: it is cancelled once, and nothing goes out', async (trial) => {
  const { when, ...point } = trial;
  if (when === 'retrying') smtp.behave({ at: 'data', times: 1_000, reply: '451 4.3.0 try again later' });
  const deliverAt = when === 'scheduled' ? new Date(Date.now() + 86_400_000).toISOString() : null;
  const id = await server.api.notify('ada', { deliverAt });
  await eventually(async () => {
    const { status, channels } = await server.api.view(id);
    return status === when || channels.email?.operations[0]?.status === when ? true : undefined;
  });
  await server.arm(point);
  const cancel = () => server.api.request('POST', `/v1/notifications/${id}:cancel`);
  await cancel().catch(() => undefined);
  await server.died;
  server = await CrashingServer.start(folder.path, smtp.url);

  // The client repeats what was not answered.
  expect((await cancel()).status).toBe(202);
  expect(await server.api.finalView(id)).toMatchObject({ status: 'cancelled', reason: 'cancelled' });
  const last = await eventually(async () => {
    const types = (await server.api.events(id)).map(({ type }) => type);
    return steps[when as keyof typeof steps].every((type) => types.includes(type)) ? types : undefined;
  });
  for (const type of steps[when as keyof typeof steps]) expect(last.filter((one) => one === type)).toEqual([type]);

  server.kill();
  await server.died;
  const records = await readStore(folder.path);
  expectWholeStreams(records);
  const ends = records.filter((record) => correlationOf(record) === id && terminalTypes.has(record.type));
  expect(ends.map(({ type }) => type)).toEqual(['notification.cancelled.v1']);
  expect(smtp.mails).toEqual([]);
});
