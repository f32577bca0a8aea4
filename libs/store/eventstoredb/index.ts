export { MalformedConnection, nameOf, parseConnection, type EventStoreDbConnection } from './connection.js';
export { openEventStoreDb } from './event-store-db.js';
export type { EventStoreDbLog, EventStoreDbOptions } from './options.js';
