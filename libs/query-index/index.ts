export { CatchUp, type Stage } from './catch-up.js';
export { IndexFailure } from './index-thread.js';
export { IndexCatchingUp, QueryIndex, type IndexLog, type QueryIndexStatus } from './query-index.js';
export type { IndexTables, OpenTables } from './tables.js';
