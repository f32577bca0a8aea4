import 'reflect-metadata';
import { createLog } from '../../../apps/server/log.js';
import { startServer } from '../../../apps/server/server.js';
import { readSettings } from '../../../apps/server/settings/index.js';
import { KillingStore, killPointAtStart, type KillPoint } from './killing-store.js';

/** What the server tells the test that forked it. The test sends it a `KillPoint`. */
export type Told =
  { readonly url: string; readonly bouncesUrl?: string } | { readonly armed: true } | { readonly appending: string };

const tell = (message: Told) => process.send!(message);

const reading = readSettings(process.env, [], process.cwd());
if (!('settings' in reading)) throw new Error(JSON.stringify(reading));

let isReady = false;
const killing = new KillingStore((type) => {
  if (isReady) tell({ appending: type });
});
const atStart = process.env[killPointAtStart];
if (atStart !== undefined) killing.arm(JSON.parse(atStart) as KillPoint);
const { url, bouncesUrl } = await startServer(reading.settings, createLog(reading.settings.logLevel), killing.decorate);
process.on('message', (point: KillPoint) => {
  killing.arm(point);
  tell({ armed: true });
});
isReady = true;
// The test is gone.
process.on('disconnect', () => process.exit());
tell({ url, ...(bouncesUrl !== undefined && { bouncesUrl }) });
