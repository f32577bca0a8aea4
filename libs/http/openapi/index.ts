export * as schemas from './common.js';
export type { ApiDescription, RouteDescription } from './description.js';
export { openApiDocument, type OpenApiDocument, type Operation, type Parameter, type Response } from './document.js';
export { healthApi } from './health.js';
