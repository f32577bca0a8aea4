export { copySqliteStore } from './copy.js';
export { followSqliteStore, type SqliteFollower } from './follower.js';
export { lockDirectory, type DirectoryLock } from './lock.js';
export { openSqliteStore, type SqliteEventStore } from './sqlite-store.js';
export type { SqliteStoreOptions, SqliteStoreStats } from './options.js';
export type { StoreCopy } from './messages.js';
