export { eventually } from './eventually.js';
export { notRun, specNotRun } from './not-run.js';
export * from './otlp/index.js';
export * from './query-index/index.js';
export * from './runtime/index.js';
export * from './slack/index.js';
export * from './smtp/index.js';
export * from './spec/index.js';
export * from './store/index.js';
