import 'reflect-metadata';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { subscribe } from 'node:diagnostics_channel';
import { createLog } from '../../../apps/server/log.js';
import { startServer } from '../../../apps/server/server.js';
import { readSettings } from '../../../apps/server/settings/index.js';

/** What the server tells the test that forked it. */
export interface Told {
  readonly url: string;
  /** As Fastify has them: `POST /v1/notifications/:id(.+)::cancel`. */
  readonly routes: readonly string[];
  /** Those that do not say what they need. */
  readonly undeclared: readonly string[];
}

const reading = readSettings(process.env, [], process.cwd());
if (!('settings' in reading)) throw new Error(JSON.stringify(reading));

const registered: RouteOptions[] = [];
subscribe('fastify.initialization', (message) => {
  const { fastify } = message as { readonly fastify: FastifyInstance };
  fastify.addHook('onRoute', (route) => void registered.push(route));
});
const { url, drain } = await startServer(reading.settings, createLog(reading.settings.logLevel));
// The test is done, or gone.
process.on('disconnect', () => void drain().finally(() => process.exit()));
const namesOf = (some: readonly RouteOptions[]) =>
  some.flatMap(({ method, url }) => [method].flat().map((one) => `${one} ${url}`));
const undeclared = registered.filter(({ config }) => config?.needs === undefined);
process.send!({ url, routes: namesOf(registered), undeclared: namesOf(undeclared) } satisfies Told);
