/** What an attempt came to. */
export type Attempt =
  | { readonly receipt: unknown }
  | {
      readonly failure: unknown;
      readonly kind: 'transient' | 'permanent' | 'recipientErased';
      readonly doubtful: boolean;
      /** No attempt sooner than so many milliseconds from now, as the other side wishes. */
      readonly retryAfter?: number | undefined;
    };
