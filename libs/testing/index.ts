export * from './smtp/index.js';
