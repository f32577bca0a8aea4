import { writeFileSync } from 'node:fs';
import { settingsMarkdown } from './documentation.js';

// Four folders up from dist/apps/server/settings.
writeFileSync(new URL('../../../../docs/settings.md', import.meta.url), settingsMarkdown());
