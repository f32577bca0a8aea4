import type { IndexTables } from '#libs/query-index';

export interface Word {
  readonly word: string;
  readonly position: number;
}

/** An index of words, for specs: the last one put counts, `bad` cannot be put, and `nonsense` is no question. */
export const tables: IndexTables<Word, 'all' | 'nonsense', readonly Word[]> = {
  version: 1,
  schema: 'CREATE TABLE word (word TEXT PRIMARY KEY, position INTEGER NOT NULL);',
  open: (database) => ({
    put({ word, position }) {
      database.prepare('INSERT OR REPLACE INTO word VALUES (?, ?)').run(word, position);
      if (word === 'bad') throw new Error('a bad word');
      return false;
    },
    answer: (query) =>
      database
        .prepare(`SELECT ${query === 'all' ? 'word, position' : query} FROM word ORDER BY word`)
        .all([]) as Word[],
  }),
};
