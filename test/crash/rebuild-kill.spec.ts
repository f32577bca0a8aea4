import { expect, test } from '@jest/globals';
import type { ViewView } from '#libs/operator';
import { SmtpDouble } from '#libs/testing';
import { eventually, readStore, temporaryFolder } from '../support/index.js';
import { CrashingServer } from './support/crashing-server-process.js';
import { expectSentOnce, expectWholeStreams } from './support/evidence.js';
import type { KillPoint } from './support/killing-store.js';

const notifications = 30;

/** Where the process is killed while it builds a version, from the request to the removal of the version before. */
const points: readonly KillPoint[] = [
  ...(
    [
      'runtime.rebuild-requested.v1',
      'runtime.rebuild-progressed.v1',
      'notification.view.v1',
      'runtime.view-switched.v1',
      'runtime.version-removed.v1',
    ] as const
  ).flatMap((type) => (['before', 'after'] as const).map((moment) => ({ moment, type, nth: 1 }))),
  { moment: 'after', type: 'notification.view.v1', nth: 17 },
];

test('killed at any moment of a rebuild, the view that serves is whole, and the next process builds it anew', async () => {
  const smtp = await SmtpDouble.start({ security: 'plain' });
  const folder = await temporaryFolder();
  let server = await CrashingServer.start(folder.path, smtp.url);
  try {
    await server.api.putRecipient('ada', 'ada@example.com');
    const ids = await Promise.all(Array.from({ length: notifications }, () => server.api.notify('ada')));
    const expected = await Promise.all(ids.map((id) => server.api.finalView(id)));

    for (const point of points) {
      const before = (await server.api.request<ViewView>('GET', '/v1/views/notification.view')).body.version;
      await server.arm(point);
      await server.api.request('POST', '/v1/views/notification.view:rebuild').catch(() => undefined);
      await server.died;
      server = await CrashingServer.start(folder.path, smtp.url);
      expect(await Promise.all(ids.map((id) => server.api.view(id)))).toEqual(expected);
      const wasAsked = point.type !== 'runtime.rebuild-requested.v1' || point.moment === 'after';
      const { version } = await eventually(async () => {
        const { body } = await server.api.request<ViewView>('GET', '/v1/views/notification.view');
        return body.rebuild === null ? body : undefined;
      });
      expect(version > before).toBe(wasAsked);
      expect(await Promise.all(ids.map((id) => server.api.view(id)))).toEqual(expected);
    }

    const last = await server.api.notify('ada');
    await server.api.finalView(last);
    // Everything that does not serve is removed at last.
    await eventually(async () => {
      const path = '/v1/events?category=runtime.version&limit=200';
      const { body } = await server.api.request<{ items: { type: string }[] }>('GET', path);
      const count = (type: string): number => body.items.filter((one) => one.type === type).length;
      return count('runtime.version-removed.v1') === count('runtime.rebuild-requested.v1') || undefined;
    });
    server.kill();
    await server.died;
    expect(smtp.mails).toHaveLength(notifications + 1);
    const records = await readStore(folder.path);
    expectWholeStreams(records.filter(({ stream }) => !stream.startsWith('notification.view.')));
    for (const id of [...ids, last]) expectSentOnce(records, id);
  } finally {
    server.kill();
    await server.died;
    await smtp.close();
    await folder.remove();
  }
}, 300_000);
