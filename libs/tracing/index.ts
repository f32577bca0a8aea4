export type { SamplerName } from './sampler.js';
export { startTracing, type Tracing, type TracingOptions } from './tracing.js';
