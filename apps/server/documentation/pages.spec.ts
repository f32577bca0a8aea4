import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { generatedPages } from './pages.js';

test.each(Object.entries(generatedPages()))(
  'docs/%s is what the code makes; refresh it with `npm run docs`',
  (name, text) => {
    // Four folders up from dist/apps/server/documentation.
    const page = readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8');
    expect(page).toBe(text);
  },
);
