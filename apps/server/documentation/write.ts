import { writeFileSync } from 'node:fs';
import { generatedPages } from './pages.js';

// `npm run docs`: writes the pages that are made from the code.
for (const [name, text] of Object.entries(generatedPages())) {
  // Four folders up from dist/apps/server/documentation.
  writeFileSync(new URL(`../../../../docs/${name}`, import.meta.url), text);
}
