import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { notRun } from '#libs/testing';
import {
  Api,
  eventually,
  keysIn,
  startServer,
  temporaryFolder,
  type Keys,
  type ServerProcess,
} from '../support/index.js';
import { launchBrowser, openWindow, overflow, violations, whyNoBrowser, type Window } from './support/browser.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let keys: Keys;
let server: ServerProcess;
let owner: string;
let reader: string;
let sent: string;
let browser: Browser;
let window: Window | undefined;

beforeAll(async () => {
  folder = await temporaryFolder();
  keys = keysIn(folder.path);
  owner = keys.make('owner', ['*']);
  reader = keys.make('reader', ['notifications:read']);
  await keys.write();
  server = await startServer(folder.path, { TIDINGS_API_KEYS_FILE: keys.file });
  const api = new Api(server.url, owner);
  await api.putRecipient('ada', 'ada@example.com');
  sent = await api.notify('ada', { content: { subject: 'Invoice 7', text: 'It is ready.' } });
  await api.finalView(sent);
}, 120_000);

afterEach(async () => {
  await window?.close();
  window = undefined;
});

afterAll(async () => {
  await browser?.close();
  await server?.kill();
  await folder?.remove();
});

async function open(path = '/'): Promise<Page> {
  window = await openWindow(browser, server.url, path, { colorScheme: 'light' });
  return window.page;
}

async function signIn(page: Page, key: string): Promise<void> {
  await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
  await page.getByLabel('API key').fill(key);
  await page.keyboard.press('Enter');
}

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name });
const stored = (page: Page) =>
  page.evaluate<[string[], number]>('[Object.values(sessionStorage), localStorage.length]');
/** The browser itself says when a request was refused. */
const troubles = () => window!.troubles.filter((text) => !/status of 40[13]/.test(text));

test('the page itself is there without a key, and what it asks for is not', async () => {
  expect((await new Api(server.url).request('GET', '/')).status).toBe(200);
  expect((await new Api(server.url).request('GET', '/v1/stats')).status).toBe(401);
});

const reason = whyNoBrowser();
if (reason !== undefined) notRun('signing in to the console in a browser', reason);
else {
  beforeAll(async () => {
    browser = await launchBrowser();
  });

  describe('signing in', () => {
    test('is asked for on every page; in light, in dark and on a phone nothing is amiss', async () => {
      const page = await open(`/notifications/${sent}`);
      await heading(page, 'Sign in').waitFor();
      await page.getByText('This server asks for an API key.').waitFor();
      const amiss = async () => ({ violations: await violations(page), overflow: await overflow(page) });
      expect(await amiss()).toEqual({ violations: [], overflow: 0 });
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.locator('html[data-mantine-color-scheme=dark]').waitFor();
      expect(await amiss()).toEqual({ violations: [], overflow: 0 });
      await page.setViewportSize({ width: 360, height: 740 });
      expect(await amiss()).toEqual({ violations: [], overflow: 0 });
      expect(await page.getByRole('navigation').count()).toBe(0);
      expect(troubles()).toEqual([]);
    });

    test('does not work with a key that is not known, and that is said at the field', async () => {
      const page = await open();
      for (const wrong of ['tdk_wrong', 'ключ']) {
        await signIn(page, wrong);
        await page.getByText(/does not know this key/).waitFor();
        expect(await violations(page)).toEqual([]);
      }
      expect(await stored(page)).toEqual([[], 0]);
    });

    test('leads to the page that was asked for, and the key is kept for this window and nowhere else', async () => {
      const page = await open(`/notifications/${sent}`);
      await signIn(page, owner);
      await heading(page, 'Invoice 7').waitFor();
      expect(await stored(page)).toEqual([[owner], 0]);
      expect(page.url()).toBe(`${server.url}/notifications/${sent}`);
      await page.reload();
      await heading(page, 'Invoice 7').waitFor();
      const other = await page.context().newPage();
      await other.goto(server.url);
      await heading(other, 'Sign in').waitFor();
      expect(troubles()).toEqual([]);
    });

    test('is undone by signing out', async () => {
      const page = await open();
      await signIn(page, owner);
      await heading(page, 'Overview').waitFor();
      await page.getByText('email.send-bot').waitFor();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByText('You have signed out.').waitFor();
      expect(await stored(page)).toEqual([[], 0]);
      expect(await page.getByText('email.send-bot').count()).toBe(0);
    });
  });

  test('what a key may not see says which scope is missing, and the rest is shown', async () => {
    const page = await open();
    await signIn(page, reader);
    await page.getByRole('link', { name: 'Invoice 7' }).waitFor();
    expect(await page.getByText('it needs the scope operate.').count()).toBe(2);
    expect(await page.getByText('no answer from the server').count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    await page.getByRole('link', { name: 'Invoice 7' }).click();
    await page.getByText('it needs the scope audit:read.').waitFor();
    await page.getByText('It is ready.').waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test('a key that is taken away leads back to the sign-in', async () => {
    const passing = keys.make('passing', ['*']);
    await keys.write();
    await eventually(async () =>
      (await new Api(server.url, passing).request('GET', '/v1/stats')).status === 200 ? true : undefined,
    );
    const page = await open();
    await signIn(page, passing);
    await heading(page, 'Overview').waitFor();
    keys.remove(passing);
    await keys.write();
    await page.getByText('The key was taken away, or its time is over.').waitFor();
    expect(await stored(page)).toEqual([[], 0]);
  });

  test('what would have gone out is saved with the key', async () => {
    const page = await open(`/notifications/${sent}`);
    await signIn(page, owner);
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'what would have gone out' }).click();
    const file = await saving;
    expect(file.suggestedFilename()).toBe('mail.eml');
    expect(await readFile(await file.path(), 'utf8')).toContain('Subject: Invoice 7');
  });
}
