import type { Scope } from './scopes.js';

/** Who asks, once that is known. */
export interface Caller {
  /** For logs and records; no secret. */
  readonly name: string;
  may(scope: Scope): boolean;
  /**
   * Calls back, once, when the caller is not let in as it was any more: removed, changed or expired. At once where that is
   * so already.
   * @returns takes the wish back
   */
  onceRevoked(callback: () => void): () => void;
}

/** Tells callers by what they show. API keys are the one kind there is; tokens of others would be a second. */
export interface Authenticator {
  /** @param bearer as it stands in the Authorization header @returns undefined: nobody who is let in */
  identify(bearer: string): Caller | undefined;
}
