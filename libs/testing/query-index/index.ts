export { tables as wordTables, type Word } from './word-tables.js';

/** An index of words, for specs: what a thread loads it from. */
export const wordTablesModule = new URL('./word-tables.js', import.meta.url).href;
