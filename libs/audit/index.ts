export { AuditModule } from './audit.module.js';
export type { EventsPage } from './http/audit.controller.js';
export { auditApi } from './http/openapi.js';
