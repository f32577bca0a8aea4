/** Where the store lives, and its tuning; every default suits a server with a local disk. */
export interface SqliteStoreOptions {
  /** Made when missing. One process at a time. */
  readonly directory: string;
  /** Events in one commit at most; a larger append still goes into one. Default 1024. */
  readonly maxBatchEvents?: number;
  /** Characters of JSON in one commit at most; a larger append still goes into one. Default 4 Mi. */
  readonly maxBatchLength?: number;
  /** Recently committed records kept for live subscribers. Default 8192. */
  readonly tailEvents?: number;
  /** Characters of JSON that those records may have. Default 16 Mi. */
  readonly tailLength?: number;
  /** Pages (4 KiB) in the write-ahead log before it is copied into the database. Default 1000. */
  readonly checkpointPages?: number;
  /** Page cache of each of the two connections, KiB. Default 65536. */
  readonly cacheKib?: number;
  /** Pages (4 KiB) that the database may grow to; appends beyond are refused as if the disk was full. Default: no limit. */
  readonly maxPages?: number;
}

export type Tuning = Required<Omit<SqliteStoreOptions, 'maxPages'>> & { readonly maxPages: number | undefined };

export function withDefaults(options: SqliteStoreOptions): Tuning {
  return {
    directory: options.directory,
    maxBatchEvents: options.maxBatchEvents ?? 1024,
    maxBatchLength: options.maxBatchLength ?? 4 * 1024 * 1024,
    tailEvents: options.tailEvents ?? 8192,
    tailLength: options.tailLength ?? 16 * 1024 * 1024,
    checkpointPages: options.checkpointPages ?? 1000,
    cacheKib: options.cacheKib ?? 65_536,
    maxPages: options.maxPages,
  };
}

/** Counted since the store was opened. */
export interface SqliteStoreStats {
  /** Transactions that wrote records. */
  readonly commits: number;
  /** Records written. */
  readonly records: number;
  /** Characters of JSON written. */
  readonly bytes: number;
  /** Messages sent to the two worker threads. */
  readonly messages: number;
}
