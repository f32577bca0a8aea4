export { eventually } from './eventually.js';
export * from './smtp/index.js';
export * from './spec/index.js';
