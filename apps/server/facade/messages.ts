import type { FacadeOptions } from '#libs/store/facade';

/** What the process of the facade is told. Secrets come this way: others can read a command line and an environment. */
export type ToFacade =
  | { readonly kind: 'start'; readonly directory: string; readonly head: bigint; readonly options: StartOptions }
  /** The store goes up to here now. */
  | { readonly kind: 'head'; readonly head: bigint }
  /** The part of the time that it may work for long reads, above 0, at most 1. */
  | { readonly kind: 'share'; readonly share: number }
  | { readonly kind: 'close' };

export type StartOptions = Pick<FacadeOptions, 'host' | 'port' | 'tls' | 'users'>;

/** What it answers. */
export type FromFacade =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'refused'; readonly error: string }
  /** A call has failed, through no fault of the client's. */
  | { readonly kind: 'failed'; readonly error: string };
