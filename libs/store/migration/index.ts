export { MigrationRefused } from './errors.js';
export { migrate, type MigrationOptions, type Phase } from './migrate.js';
export type { PositionIn } from './translation.js';
export type { Verified } from './verify.js';
