/** The last record whose entries are in the index. */
export interface Reached {
  /** Where the records come from, see `IndexSource`. */
  readonly source: string;
  readonly position: number;
  readonly id: string;
}

export interface WorkerData {
  /** Of the database. */
  readonly path: string;
  /** URL of the module that exports the tables. */
  readonly tables: string;
  /** Removes the file first. */
  readonly anew: boolean;
}

export type IndexRequest<Entry, Query> =
  | { readonly kind: 'apply'; readonly entries: readonly Entry[]; readonly reached: Reached }
  | { readonly kind: 'query'; readonly query: Query }
  | { readonly kind: 'close' };

/** The first one, which nobody asked for, says how far the index reached. */
export type IndexReply = { readonly value: unknown } | { readonly failure: string; readonly damaged: boolean };
