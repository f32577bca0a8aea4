import { createHash, timingSafeEqual } from 'node:crypto';
import { constants, type ServerHttp2Stream } from 'node:http2';
import {
  ServerInterceptingCall,
  status,
  type Metadata,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { accessDenied, CallFailed, notLeader, unavailable } from './errors.js';
import type { FacadeLimits, FacadeOptions, FacadeUser, Fault } from './options.js';

/** Clients call these without credentials, and they tell nothing of what is stored. */
const openServices = ['/event_store.client.server_features.', '/event_store.client.gossip.'];
const writes = ['Append', 'BatchAppend', 'Delete', 'Tombstone'];

/**
 * Bounds the calls that are open and the time until each has said what it wants: one that says nothing reaches no handler,
 * and so none of the handlers' limits.
 */
export function bounded({ calls, request }: Pick<FacadeLimits, 'calls' | 'request'>): ServerInterceptor {
  let open = 0;
  return (_, call) => {
    let counted = false;
    let timer: NodeJS.Timeout | undefined;
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            if (open >= calls) {
              call.sendStatus(
                new CallFailed(status.RESOURCE_EXHAUSTED, `there are ${calls} calls already; try again later`),
              );
              return;
            }
            open += 1;
            counted = true;
            timer = setTimeout(() => {
              call.sendStatus(new CallFailed(status.DEADLINE_EXCEEDED, `no request came within ${request} ms`));
            }, request);
            pass(metadata);
          },
          onReceiveMessage: (message, pass) => {
            clearTimeout(timer);
            pass(message);
          },
          // Comes at the end of every call.
          onCancel: () => {
            clearTimeout(timer);
            if (counted) open -= 1;
            counted = false;
          },
        }),
    });
  };
}

/**
 * Ends calls whose client takes nothing of what is there for it. To be the first gate: it looks at what goes out to the
 * connection. Of a call that is quiet nothing waits.
 */
export function taken({ untaken }: Pick<FacadeLimits, 'untaken'>): ServerInterceptor {
  return (_, call) => new TakenCall(call, untaken);
}

class TakenCall extends ServerInterceptingCall {
  #isWaiting = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly call: ServerInterceptingCallInterface,
    private readonly untaken: number,
  ) {
    super(call, {
      // Comes at the end of every call.
      start: (next) => next({ onCancel: () => clearTimeout(this.#timer) }),
    });
  }

  /** Called with one message after the other: the next one comes once this one is taken. */
  override sendMessage(message: unknown, callback: () => void): void {
    this.#isWaiting = true;
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#end(), this.untaken);
    else this.#timer.refresh();
    super.sendMessage(message, () => {
      this.#isWaiting = false;
      callback();
    });
  }

  #end(): void {
    // A status would wait behind the message. Clients take this code for RESOURCE_EXHAUSTED.
    if (this.#isWaiting) streamOf(this.call).close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}

/** The library has no other way to end a call at once. */
function streamOf(call: ServerInterceptingCallInterface): ServerHttp2Stream {
  return (call as unknown as { readonly stream: ServerHttp2Stream }).stream;
}

/** Lets in whom the users' credentials say, before any message of theirs is read. */
export function authentication(users: readonly FacadeUser[]): ServerInterceptor {
  const known = users.map(({ name, password }) => digest(credentials(name, password)));
  return (method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            if (openServices.some((service) => method.path.startsWith(service))) return pass(metadata);
            const given = metadata.get('authorization')[0];
            if (given === undefined) return call.sendStatus(accessDenied('credentials are needed'));
            const digested = digest(given.toString().replace(/^basic /i, ''));
            if (known.some((one) => timingSafeEqual(one, digested))) return pass(metadata);
            call.sendStatus(new CallFailed(status.UNAUTHENTICATED, 'the credentials are wrong'));
          },
        }),
    });
}

function credentials(name: string, password: string): string {
  return Buffer.from(`${name}:${password}`).toString('base64');
}

/** Digests are of one length, so that comparing them tells nothing by the time it takes. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Refuses every call that would write, before any message of it is read. */
export const readOnly: ServerInterceptor = (method, call) =>
  new ServerInterceptingCall(call, {
    start: (next) =>
      next({
        onReceiveMetadata: (metadata, pass) => {
          if (!writes.some((name) => method.path.endsWith(`.Streams/${name}`))) return pass(metadata);
          call.sendStatus(accessDenied('this server can be read and subscribed to only'));
        },
      }),
  });

/** Breaks calls, for tests. */
export function faults(onCall: NonNullable<FacadeOptions['onCall']>): ServerInterceptor {
  return (method, call) => {
    let fault: Fault = {};
    let sent = 0;
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata: Metadata, pass) => {
            const leaderOnly = metadata.get('requires-leader')[0] === 'true';
            void Promise.resolve(onCall(method.path, leaderOnly)).then((found = {}) => {
              fault = found;
              if (fault.notLeader !== undefined) call.sendStatus(notLeader(fault.notLeader.host, fault.notLeader.port));
              else if (fault.denied) call.sendStatus(accessDenied('not for this user'));
              else pass(metadata);
            });
          },
        }),
      sendMessage: (message, pass) => {
        if (fault.silent) return;
        if (fault.resetAfter !== undefined && sent >= fault.resetAfter) {
          call.sendStatus(unavailable('the connection was lost'));
          return;
        }
        sent += 1;
        pass(fault.answer === undefined ? message : fault.answer(message));
      },
      sendStatus: (ending, pass) => {
        if (!fault.silent) pass(ending);
      },
    });
  };
}
