import type Database from 'libsql';

/**
 * What an index holds and how it is asked. The index's thread loads it as the export `tables` of a module of its own;
 * entries, queries and answers are passed between threads.
 */
export interface IndexTables<Entry, Query, Answer> {
  /** Goes up with every change of the schema, and of what the entries are made of: a file of another version is not used. */
  readonly version: number;
  /** SQL that makes the tables. `progress` is the index's own. */
  readonly schema: string;
  open(database: Database.Database): OpenTables<Entry, Query, Answer>;
}

export interface OpenTables<Entry, Query, Answer> {
  /**
   * Called within a transaction. An entry that is older than what stands, or has been put before, changes nothing.
   * @returns true where it removed something that must not stay anywhere in the files
   */
  put(entry: Entry): boolean;
  answer(query: Query): Answer;
}
