export * from './check.js';
export * from './errors.js';
export * from './event-store.js';
export * from './migrated.js';
export { batchLimit, followStream, Progress } from './progress.js';
export * from './stream-metadata.js';
export { matcherOf, Tail, type Matcher } from './tail.js';
