import type { DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { createHttpApp } from '#libs/http';
import { messageOf } from '#libs/kernel';
import { Runtime, truncateStreams, type Role as HandlerRole, type Split, type ViewRebuilds } from '#libs/runtime';
import type { EventStore } from '#libs/store/port';
import {
  deliveryRules,
  emailRetryDelays,
  escalationPace,
  slackInterval,
  slackRetryDelays,
  topology,
} from '#streams.config';
import { AppModule } from './app.module.js';
import { createBounceIntake, openBounceListener, type RunningBounceListener } from './bounces.js';
import { serveConsole } from './console.js';
import { startConsumers, storeCheck } from './consumers.js';
import { openFacade, type RunningFacade } from './facade/facade.js';
import { openKeys, type OpenedKeys } from './keys.js';
import { openLists, type Lists } from './lists.js';
import { consumerLog, nestLogger } from './log.js';
import { measureRequests } from './metrics/http.js';
import { Metrics } from './metrics/metrics.js';
import { closeParts, openParts, type StoreDecorator } from './parts.js';
import { logRequests } from './request-log.js';
import { sharingOf } from './sharing.js';
import { createSteps } from './steps.js';
import { openTracing } from './tracing/open.js';
import { openRebuilds } from './views.js';
import type { Role, Settings } from './settings/index.js';
import { WorkerModule } from './worker.module.js';

const handlerRoles: Readonly<Record<Exclude<Role, 'api'>, readonly HandlerRole[]>> = {
  bots: ['bot', 'reactor'],
  sagas: ['sagaHandler'],
  projectors: ['projector'],
};

/** In milliseconds. */
const scavengeEvery = 3_600_000;

/** A running server. */
export interface Server {
  /** Where the API is; without the role, where the process is operated. */
  readonly url: string;
  /** Where EventStoreDB clients can read; undefined where they cannot. */
  readonly facadeUrl: string | undefined;
  /** Where mail that comes back is taken; undefined where it is not. */
  readonly bouncesUrl: string | undefined;
  /** Resolves when it turns out that this server must not go on: its keys are another event store's. */
  readonly failed: Promise<Error>;
  /** Finishes requests and records under way, then closes the store. */
  drain(): Promise<void>;
}

/**
 * Starts the roles of this process: opens the store and the data directory, starts the consumers, then listens.
 * @param decorate for tests: stands between everything and the store
 * @throws StoreUnusable, or the error of a port that cannot be listened on
 */
export async function startServer(
  settings: Settings,
  log: Logger,
  decorate: StoreDecorator = (store) => store,
): Promise<Server> {
  const tracing = await openTracing(settings, log);
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<Error>((resolve) => (fail = resolve));
  const parts = await openParts(settings, log, decorate, tracing, fail);
  if (settings.teamEmail === undefined && settings.roles.includes('bots')) {
    log.warn('nobody is told of notifications that fail, now or later: TIDINGS_TEAM_EMAIL is not set');
  }
  const metrics = new Metrics();
  const sharing = sharingOf(settings, log);
  let runtime: Runtime<never> | undefined;
  const scavenger = keepScavenging(parts.store, () => runtime?.split, log);
  let rebuilds: ViewRebuilds | undefined;
  let lists: Lists | undefined;
  let app: NestFastifyApplication | undefined;
  let facade: RunningFacade | undefined;
  let listener: RunningBounceListener | undefined;
  let keys: OpenedKeys | undefined;

  async function drain(): Promise<void> {
    clearInterval(scavenger);
    // First no new requests, then no new records, then nothing.
    await Promise.all([app?.close(), facade?.close(), listener?.close()]);
    await rebuilds?.stop();
    keys?.ring.close();
    await runtime?.drain();
    await lists?.index.close();
    await closeParts(parts);
    await tracing?.stop();
  }

  try {
    const started = new Runtime({
      store: parts.store,
      topology,
      services: {
        ...parts,
        transport: metrics.measuredEmail(parts.transport),
        slackTransport: metrics.measuredSlack(parts.slackTransport),
        steps: createSteps(settings, parts, tracing),
        deliveryRules: { ...deliveryRules, onChannelFailure: settings.onChannelFailure },
        emailRetryDelays,
        slackRetryDelays,
        slackInterval,
        escalationPace,
        mailFrom: settings.mailFrom,
        teamEmail: settings.teamEmail,
      },
      roles: rolesOf(settings),
      views: parts.views,
      log: metrics.counted(consumerLog(log)),
      sharing,
      trace: tracing?.work,
    });
    runtime = started;
    const consumers = await startConsumers(started, parts.store, log);
    rebuilds = openRebuilds(settings, parts, started, log);
    facade = await openFacade(settings, parts.store, log);
    const facadeUrl = facade?.url;
    metrics.addStore(parts.store, parts.storeStats);
    metrics.addConsumers(started, parts.store);
    keys = await openKeys(settings, log);
    const checks = [storeCheck(parts.store), ...parts.storeChecks, consumers, ...(keys ? [keys.check] : [])];
    let module: DynamicModule;
    if (settings.roles.includes('api')) {
      lists = await openLists(settings, parts, started, log);
      const intake = createBounceIntake(parts, metrics, tracing, log);
      module = AppModule.with(parts, lists, started, [...checks, lists.check], metrics.registry, intake, tracing);
      listener = await openBounceListener(settings, parts, intake, metrics, log);
    } else module = WorkerModule.with(parts, started, checks, metrics.registry);
    app = await createHttpApp(module, { logger: nestLogger(log), authenticator: keys?.ring });
    tracing?.requests(app.getHttpAdapter().getInstance());
    measureRequests(app, metrics.registry);
    logRequests(app.getHttpAdapter().getInstance(), log);
    if (lists !== undefined) await serveConsole(app);
    await app.listen({ host: settings.host, port: settings.port });
    return { url: await app.getUrl(), facadeUrl, bouncesUrl: listener?.url, failed, drain };
  } catch (error) {
    await drain();
    throw error;
  }
}

/** Gives back what nobody needs or can read any more, such as old checkpoints. */
function keepScavenging(store: EventStore, split: () => Split | undefined, log: Logger): NodeJS.Timeout {
  async function scavenge(): Promise<void> {
    const known = split();
    if (known === undefined) return;
    await truncateStreams(store, topology, known);
    await store.scavenge();
  }
  return setInterval(() => {
    scavenge().catch((error: unknown) => log.warn({ error: messageOf(error) }, 'the store was not scavenged'));
  }, scavengeEvery);
}

function rolesOf({ roles }: Settings): ReadonlySet<HandlerRole> {
  return new Set(roles.flatMap((role) => (role === 'api' ? [] : handlerRoles[role])));
}
