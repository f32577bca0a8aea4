import { promisify } from 'node:util';
import { logVerbosity, Server, ServerCredentials, setLogVerbosity, type ServerInterceptor } from '@grpc/grpc-js';
import { GossipService } from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import { ServerFeaturesService } from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import { StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { EventStore, ReadableStore } from '#libs/store/port';
import { appendHandler } from './append.js';
import { batchAppendHandler } from './batch-append.js';
import { Calls } from './calls.js';
import { deleteHandler, tombstoneHandler } from './deletions.js';
import { authentication, bounded, faults, readOnly, taken } from './gates.js';
import { gossipHandler, supportedMethodsHandler } from './node.js';
import { withDefaults, type FacadeOptions } from './options.js';
import { Pace } from './pace.js';
import { readHandler } from './reads.js';

/** A running facade. */
export interface Facade {
  readonly port: number;
  /** Ends what is open with UNAVAILABLE and stops listening. The store stays open. */
  close(): Promise<void>;
}

/** Calls that append, each with any number of appends, at a time. */
const appendCalls = 100;

/**
 * Speaks EventStoreDB's protocol over a store, so that EventStoreDB's clients can work with it.
 * @throws TypeError for users without TLS; the error of a port that cannot be listened on
 */
export async function startFacade(
  store: ReadableStore,
  options: FacadeOptions & { readonly writable: false },
): Promise<Facade>;
export async function startFacade(store: EventStore, options: FacadeOptions): Promise<Facade>;
export async function startFacade(store: ReadableStore | EventStore, options: FacadeOptions): Promise<Facade> {
  const { host = '127.0.0.1', writable, tls, users, pace = new Pace(), onError = () => undefined, onCall } = options;
  if (users !== undefined && tls === undefined) throw new TypeError('users need TLS');
  const limits = withDefaults(options.limits, writable);
  const calls = new Calls({ ...limits, appends: appendCalls }, onError);
  const interceptors: ServerInterceptor[] = [
    taken(limits),
    bounded(limits),
    ...(onCall === undefined ? [] : [faults(onCall)]),
    ...(users === undefined ? [] : [authentication(users)]),
    ...(writable ? [] : [readOnly]),
  ];
  const server = new Server({
    interceptors,
    'grpc.max_concurrent_streams': limits.calls,
    'grpc.max_receive_message_length': limits.messageBytes,
    'grpc.keepalive_time_ms': limits.keepalive,
    'grpc.keepalive_timeout_ms': limits.keepalive,
    'grpc.max_connection_idle_ms': limits.idle,
  });
  // It writes to the console what is also thrown.
  setLogVerbosity(logVerbosity.NONE);
  let port = options.port ?? 0;
  server.addService(ServerFeaturesService, { getSupportedMethods: supportedMethodsHandler(writable) });
  server.addService(GossipService, { read: gossipHandler(() => port) });
  server.addService(StreamsService, {
    read: readHandler(store, calls, limits, pace),
    ...('append' in store && {
      append: appendHandler(store, onError),
      batchAppend: batchAppendHandler(store, calls, onError),
      delete: deleteHandler(store, onError),
      tombstone: tombstoneHandler(store, onError),
    }),
  });
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }]);
  const address = host.includes(':') ? `[${host}]` : host;
  port = await promisify(server.bindAsync.bind(server))(`${address}:${port}`, credentials);

  async function close(): Promise<void> {
    calls.close();
    const impatience = setTimeout(() => server.forceShutdown(), limits.closing);
    await promisify(server.tryShutdown.bind(server))();
    clearTimeout(impatience);
  }

  let closed: Promise<void> | undefined;
  return { port, close: () => (closed ??= close()) };
}
