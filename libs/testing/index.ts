export { eventually } from './eventually.js';
export * from './runtime/index.js';
export * from './smtp/index.js';
export * from './spec/index.js';
export * from './store/index.js';
