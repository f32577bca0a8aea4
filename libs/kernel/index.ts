export * from './decider.js';
export * from './envelope.js';
export * from './errors.js';
export * from './ids.js';
export * from './slots.js';
export * from './stream.js';
