import 'reflect-metadata';

// From here, so that what it needs is loaded before it.
export { Type } from 'class-transformer';
export * from './decorators.js';
export * from './json-schema/index.js';
export * from './validate.js';
