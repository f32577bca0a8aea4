export { CatchUp, type Stage } from './catch-up.js';
export { IndexFailure } from './index-thread.js';
export { type IndexLog, type IndexSource } from './index-copy.js';
export { IndexCatchingUp, QueryIndex, type QueryIndexStatus } from './query-index.js';
export type { IndexTables, OpenTables } from './tables.js';
