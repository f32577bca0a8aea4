export { DailyCountsModule } from './daily-counts.module.js';
export { countProjector } from './handlers/count.projector.js';
export { dailyCountsClient } from './http/daily-counts-client.js';
export { dailyCountsApi } from './http/openapi.js';
export { dailyCountsViews } from './view/daily-counts.js';
