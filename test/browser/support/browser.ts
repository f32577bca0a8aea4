import type { AxeResults } from 'axe-core';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Why nothing can be shown on this machine; undefined where it can. */
export function whyNoBrowser(): string | undefined {
  return existsSync(executablePath) ? undefined : 'there is no Chromium (on Debian: apt-get install chromium)';
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
}

/** A window on the console, with what went wrong in it. */
export interface Window {
  readonly page: Page;
  /** Errors and warnings of the console, dialogs, and requests to anywhere else. */
  readonly troubles: readonly string[];
  close(): Promise<void>;
}

/** Opens a page of the console and waits until its heading is there. */
export async function openWindow(
  browser: Browser,
  url: string,
  path: string,
  options: BrowserContextOptions = {},
): Promise<Window> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: 'en-GB', ...options });
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('dialog', (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !/^(data|about):/.test(request.url())) troubles.push(request.url());
  });
  try {
    await page.goto(url + path);
    await page.getByRole('heading', { level: 1 }).waitFor();
  } catch (error) {
    await context.close();
    throw error;
  }
  return { page, troubles, close: () => context.close() };
}

/** What axe finds wrong, as `rule: element`. A mail's HTML is its sender's. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const results = await page.evaluate<AxeResults>('axe.run(document, { iframes: false })');
  return results.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** Pixels by which the page is wider than the window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>('Math.max(0, document.documentElement.scrollWidth - window.innerWidth)');
}
