export * from './toy-flow.js';
