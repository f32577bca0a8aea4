export type * from './content.js';
export * from './contents.js';
export * from './sealed-content.js';
