/** What the store asks of its worker. */
export type KeyRequest =
  | { readonly ask: 'keyFor'; readonly owner: string }
  | { readonly ask: 'find'; readonly id: string }
  | { readonly ask: 'idsOf'; readonly owner: string }
  | { readonly ask: 'destroy'; readonly ids: readonly string[] }
  | { readonly ask: 'close' };

/** A key as it stands in the file. */
export interface KeyRow {
  readonly id: string;
  readonly owner: string;
  readonly key: Uint8Array;
}

/** The answer to a request: a key, ids of keys, how many were destroyed, or nothing. */
export type KeyAnswer = KeyRow | readonly string[] | number | undefined;

/** What the worker says: first whether it could open the file, then once for every batch. */
export type KeyReply =
  { readonly answers: readonly KeyAnswer[] } | { readonly failure: string; readonly unusable: boolean };
