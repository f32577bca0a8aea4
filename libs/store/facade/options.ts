import type { Pace } from './pace.js';

/** Certificate and key, each the text of a PEM file. */
export interface FacadeTls {
  readonly cert: string;
  readonly key: string;
}

export interface FacadeUser {
  readonly name: string;
  readonly password: string;
}

/** What clients can take of the process at most. */
export interface FacadeLimits {
  /** Subscriptions at a time. Default 100. */
  readonly subscriptions: number;
  /** Reads at a time. Default 500. */
  readonly reads: number;
  /** Calls of all kinds that are open at a time, and on one connection. Default 1,000. */
  readonly calls: number;
  /** Milliseconds until a call has to have said what it wants. Default 10,000. */
  readonly request: number;
  /** Milliseconds that a message may wait for the client to take it. Default 60,000. */
  readonly untaken: number;
  /** Characters of a filter's regular expression, and of all of its prefixes together, which are parted by one. Default 1,000. */
  readonly filterLength: number;
  /** Milliseconds that a regular expression may take for one batch of records; generous, as a busy machine counts too. Default 1,000. */
  readonly filterTime: number;
  /** Bytes of one message from a client. Default 64 KiB; 8 MiB for those that may append, in parts of 3 MiB. */
  readonly messageBytes: number;
  /** Milliseconds until an unanswered ping ends a connection, and between two pings. Default 10,000. */
  readonly keepalive: number;
  /** Milliseconds that a connection without calls stays open. Default 300,000. */
  readonly idle: number;
  /** Milliseconds that closing waits for clients that do not read. Default 1,000. */
  readonly closing: number;
}

/** How a test breaks a call. */
export interface Fault {
  /** The call is not served; the client is sent to another node. */
  readonly notLeader?: { readonly host: string; readonly port: number };
  /** The call is not served; the client is told that it may not. */
  readonly denied?: boolean;
  /** After so many messages of the answer the call ends as it does when the connection is lost. */
  readonly resetAfter?: number;
  /** The call is served and nothing of the answer is sent, not even its end. */
  readonly silent?: boolean;
  /** What is sent in place of a message of the answer, as another version of the server would. */
  readonly answer?: (message: unknown) => unknown;
}

export interface FacadeOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free one. */
  readonly port?: number;
  /** Whether clients may append and delete. */
  readonly writable: boolean;
  /** Default: plain text. */
  readonly tls?: FacadeTls;
  /** Who may come in, by basic authentication; wants `tls`, since clients send no credentials without. Default: everybody. */
  readonly users?: readonly FacadeUser[];
  readonly limits?: Partial<FacadeLimits>;
  /** For long reads. Default: as fast as can be. */
  readonly pace?: Pace;
  /** Told of errors that are nobody's but the facade's or the store's. */
  readonly onError?: (error: unknown) => void;
  /**
   * For tests: breaks the calls that it answers a fault for. It is given the path of the method, and whether the client wants
   * the leader of a cluster only; it may take its time.
   */
  readonly onCall?: (path: string, leaderOnly: boolean) => Fault | undefined | Promise<Fault | undefined>;
}

export function withDefaults(limits: Partial<FacadeLimits> = {}, writable = false): FacadeLimits {
  return {
    subscriptions: 100,
    reads: 500,
    calls: 1_000,
    request: 10_000,
    untaken: 60_000,
    filterLength: 1_000,
    filterTime: 1_000,
    messageBytes: writable ? 8 * 1_048_576 : 65_536,
    keepalive: 10_000,
    idle: 300_000,
    closing: 1_000,
    ...limits,
  };
}
