import 'reflect-metadata';

export * from './decorators.js';
export * from './validate.js';
