import { expect, test } from '@jest/globals';
import { erasedText, SqliteKeyStore } from '#libs/vault';
import { eventually } from '../support/index.js';
import { Lane } from './support/trial.js';

async function keysOf(directory: string, owner: string): Promise<number> {
  const keys = await SqliteKeyStore.open(directory);
  try {
    return (await keys.idsOf(owner)).length;
  } finally {
    await keys.close();
  }
}

test('an erasure that was killed before its event has not happened; killed after it, it is finished', async () => {
  const lane = await Lane.open();
  try {
    const id = await lane.server.api.notify('ada', { content: { subject: 'Private', text: 'Very' } });
    await lane.server.api.finalView(id);

    for (const moment of ['before', 'after'] as const) {
      await lane.server.arm({ moment, type: 'recipient.erased.v1' });
      await expect(lane.server.api.request('DELETE', '/v1/recipients/ada')).rejects.toThrow();
      await lane.server.died;
      // After its event the key may be gone before the kill: where the events are elsewhere, they can come before the answer.
      if (moment === 'before') expect(await keysOf(lane.dataDir, 'recipient/ada')).toBe(1);
      await lane.restarted();
      if (moment === 'before') expect((await lane.server.api.view(id)).subject).toBe('Private');
    }

    const { api } = lane.server;
    await eventually(async () => ((await api.view(id)).subject === erasedText ? true : undefined));
    expect((await api.request('GET', '/v1/recipients/ada')).status).toBe(404);
    expect(JSON.stringify(await api.events(id))).not.toContain('ada@example.com');
    lane.server.kill();
    await lane.server.died;
    expect(await keysOf(lane.dataDir, 'recipient/ada')).toBe(0);
  } finally {
    await lane.close();
  }
}, 60_000);
