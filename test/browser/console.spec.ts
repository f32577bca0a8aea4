import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { isVersioned, versionCategory } from '#libs/kernel';
import type { Redriven } from '#libs/operator';
import { notRun } from '#libs/testing';
import { topology } from '#streams.config';
import { eventually } from '../support/index.js';
import { launchBrowser, openWindow, overflow, violations, whyNoBrowser, type Window } from './support/browser.js';
import { install, type Installation } from './support/installation.js';
import { seedTraffic } from './support/seed.js';

let installation: Installation;
let browser: Browser;
let window: Window | undefined;

beforeAll(async () => {
  installation = await install();
}, 120_000);

afterEach(async () => {
  await window?.close();
  window = undefined;
});

afterAll(async () => {
  await browser?.close();
  await installation?.remove();
});

async function open(path: string, options?: Parameters<typeof openWindow>[3]): Promise<Page> {
  window = await openWindow(browser, installation.url, path, options);
  return window.page;
}

function notificationPath(which: 'sent' | 'failed' | 'optedOut' | 'scheduled'): string {
  return `/notifications/${installation.seeded[which]}`;
}

/** Presses the key until this has the focus. @throws where that takes longer than 60 times */
async function pressUntilFocused(page: Page, key: string, selector: string): Promise<void> {
  const has = () => page.evaluate<boolean>(`document.activeElement?.matches(${JSON.stringify(selector)}) ?? false`);
  for (let times = 0; times < 60; times += 1) {
    await page.keyboard.press(key);
    if (await has()) return;
  }
  throw new Error(`${key} does not lead to ${selector}`);
}

test('what the console needs of the server is there', async () => {
  const { api, seeded } = installation;
  const paths = ['/v1/stats', '/v1/streams', '/v1/consumers', '/v1/parked', '/v1/notifications'];
  for (const path of [...paths, `/v1/notifications/${seeded.sent}/content`]) {
    expect({ path, status: (await api.request('GET', path)).status }).toEqual({ path, status: 200 });
  }
});

const reason = whyNoBrowser();
if (reason !== undefined) notRun('the console in a browser', reason);
else {
  beforeAll(async () => {
    browser = await launchBrowser();
  });

  describe('every page', () => {
    const pages: readonly (readonly [name: string, path: () => string, sign: string])[] = [
      ['the overview', () => '/', 'Median time to the end'],
      ['the notifications', () => '/notifications', 'Somebody signed in as you'],
      ['a notification that was sent', () => notificationPath('sent'), 'notification.sent.v1'],
      ['a notification that failed', () => notificationPath('failed'), 'notification.failed.v1'],
      ['a notification that nobody wanted', () => notificationPath('optedOut'), 'does not want to be told'],
      ['a notification that waits', () => notificationPath('scheduled'), 'scheduled'],
      ['a recipient', () => '/recipients/ada', 'ada@example.com'],
      ['the recipients', () => '/recipients', 'Look somebody up'],
      ['the topology', () => '/topology', 'notification.clientOperation'],
      ['the parked records', () => '/parked', 'from.the-future.v9'],
      ['sending', () => '/send', 'Recipient id'],
      ['a page that is not there', () => '/parked/nothing', 'There is no such page'],
    ];

    test.each(pages)('%s in light, in dark and on a phone: nothing is amiss', async (_, path, sign) => {
      const page = await open(path(), { colorScheme: 'light' });
      const amiss = async () => ({ violations: await violations(page), overflow: await overflow(page) });
      await page.getByText(sign).first().waitFor();
      await page.getByLabel('Loading').first().waitFor({ state: 'detached' });
      expect(await amiss()).toEqual({ violations: [], overflow: 0 });
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.locator('html[data-mantine-color-scheme=dark]').waitFor();
      expect(await amiss()).toEqual({ violations: [], overflow: 0 });
      await page.setViewportSize({ width: 360, height: 740 });
      expect(await amiss()).toEqual({ violations: [], overflow: 0 });
      expect(window!.troubles).toEqual([]);
    });
  });

  describe('by keyboard', () => {
    test('from the search to a notification, to a record and back', async () => {
      const page = await open('/notifications');
      await pressUntilFocused(page, 'Tab', 'input[type=search]');
      await page.keyboard.type('gone@example.com');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\?address=gone/);
      await page.getByRole('link', { name: 'Somebody signed in as you' }).waitFor();
      await pressUntilFocused(page, 'Tab', `a[href="${notificationPath('failed')}"]`);
      await page.keyboard.press('Enter');
      const heading = page.getByRole('heading', { level: 1, name: 'Somebody signed in as you' });
      await heading.waitFor();
      expect(await page.title()).toBe('Somebody signed in as you · Tidings');
      await page.getByRole('button', { name: 'notification.failed.v1' }).last().waitFor();
      await pressUntilFocused(page, 'Tab', 'td button');
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog');
      await dialog.getByText('"causationId"').waitFor();
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'hidden' });
      await page.locator('td button:focus').waitFor();
      expect(window!.troubles).toEqual([]);
    });

    test('the first Tab skips to the page', async () => {
      const page = await open('/');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      expect(await page.evaluate('document.activeElement.id')).toBe('page');
    });
  });

  describe('the notifications', () => {
    test.each([
      ['tag=invoice:7', ['Invoice 7']],
      ['recipientId=quiet', ['Hello']],
      ['status=failed&category=security', ['Somebody signed in as you']],
      ['channel=slack', ['Invoice 7']],
      ['recipientId=stranger', []],
    ])('are found by %s', async (query, subjects) => {
      const page = await open(`/notifications?${query}`);
      const rows = page.getByRole('region', { name: 'Notifications, as a table' });
      await (subjects.length > 0 ? rows : page.getByText('There is no such notification.')).waitFor();
      expect(await rows.locator('td[data-label=Subject]').allTextContents()).toEqual(subjects);
    });

    test('a tracking id leads to its notification', async () => {
      const page = await open('/notifications');
      await page.getByLabel('Look for').selectOption('Tracking id');
      await page.getByLabel('Tracking id').fill(installation.seeded.sent);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'Invoice 7' }).waitFor();
    });

    test('one that comes while they are looked at is there by itself', async () => {
      const page = await open('/notifications');
      await installation.api.notify('grace', { content: { subject: 'Just now', text: 'x' } });
      await page.getByRole('link', { name: 'Just now' }).waitFor();
    });
  });

  describe('one notification', () => {
    test('says what it said, why it was sent, and every attempt', async () => {
      const page = await open(notificationPath('sent'));
      const frame = page.frameLocator('iframe.mail');
      await frame.getByText('due on').waitFor();
      await page.getByText('their preference for this category').waitFor();
      const mail = page.getByRole('article', { name: 'SendEmail to ada@example.com' });
      await mail.getByText('attempt 3').first().waitFor();
      expect(await mail.getByText(/^email\.attempt-failed\.v1$/).count()).toBe(2);
    });

    test('the graph has every record, and opens it', async () => {
      const page = await open(notificationPath('sent'));
      const records = await installation.api.events(installation.seeded.sent);
      const nodes = page.locator('.react-flow__node');
      await nodes.first().waitFor();
      expect(await nodes.count()).toBe(records.length);
      expect(await page.locator('.react-flow__edge').count()).toBeGreaterThanOrEqual(records.length - 1);
      const saga = records.find(({ type }) => type === 'notification.delivery-started.v1')!;
      await nodes.getByRole('button', { name: saga.type }).click();
      const json = await page.getByRole('dialog').locator('pre').textContent();
      expect(JSON.parse(json!)).toEqual(JSON.parse(JSON.stringify(saga)));
    });

    test('the slider shows it as it was after each record', async () => {
      const page = await open(notificationPath('sent'));
      const became = page.getByRole('region', { name: 'What became of it' });
      const slider = became.getByRole('slider');
      await slider.focus();
      await page.keyboard.press('Home');
      await became.getByText('As it was: record 1 of').waitFor();
      await became.getByText('requested', { exact: true }).waitFor();
      await became.getByRole('button', { name: 'Back to now' }).click();
      await became.getByText('As it is now').waitFor();
      await became.getByText('sent', { exact: true }).waitFor();
    });

    test('what somebody sends to do harm does none', async () => {
      const harm =
        '<img src="https://evil.example/x.png" onerror="top.harmed = true"><script>top.harmed = true</script>';
      const { api } = installation;
      const html = `${harm}<p>read me</p><form action="https://evil.example"><button>x</button></form>
        <meta http-equiv="refresh" content="0; url=https://evil.example"><a href="https://evil.example">go</a>`;
      const id = await api.notify('ada', { tags: { harm }, content: { subject: harm, text: harm, html } });
      const page = await open(`/notifications/${id}`);
      await page.getByRole('heading', { level: 1, name: harm }).waitFor();
      const frame = page.frameLocator('iframe.mail');
      await frame.getByText('read me').waitFor();
      await frame.getByText('go', { exact: true }).click();
      await page.getByRole('tab', { name: 'Text' }).click();
      expect(await page.locator('pre.said').textContent()).toBe(harm);
      expect(await page.evaluate('window.harmed')).toBeUndefined();
      expect(page.frames().filter((one) => one.url().includes('evil'))).toEqual([]);
      // The browser says what it did not do; nothing went out.
      expect(window!.troubles.filter((text) => text.startsWith('http') || text.startsWith('dialog'))).toEqual([]);
      expect(await page.locator('main img, main script, main form').count()).toBe(0);
    });
  });

  test('the topology has every stream', async () => {
    const page = await open('/topology');
    await page.locator('.react-flow__node').first().waitFor();
    const names = await page.locator('.react-flow__node-stream strong').allTextContents();
    const categories = topology.streams.map(({ stream }) =>
      isVersioned(stream) ? versionCategory(stream, 1) : stream.category,
    );
    expect(names.sort()).toEqual(categories.sort());
    await page.getByLabel('Subsystem').selectOption('slack');
    await page.getByText('recipient.event').first().waitFor({ state: 'detached' });
    expect(await page.locator('.react-flow__node-stream').count()).toBe(2);
  });

  test('a consumer is paused and resumed', async () => {
    const page = await open('/');
    await page.getByRole('button', { name: 'Pause slack.send-bot' }).click();
    await page.getByRole('button', { name: 'Resume slack.send-bot' }).click();
    await page.getByRole('button', { name: 'Pause slack.send-bot' }).waitFor();
  });

  test('parked records are looked at, redriven after a dry run, and archived', async () => {
    const page = await open('/parked');
    await page.getByRole('button', { name: 'from.the-future.v9' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('"world"').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });

    await page.getByLabel('Consumer', { exact: true }).selectOption('notification.send-bot');
    await page.getByRole('button', { name: 'Redrive all of these' }).click();
    await dialog.getByText('1 record is handed').waitFor();
    const before = await parkedAt();
    await dialog.getByRole('button', { name: 'Redrive 1' }).click();
    await dialog.waitFor({ state: 'hidden' });
    // It fails again, as said.
    await eventually(async () => ((await parkedAt()) > before ? true : undefined));

    await page.getByRole('button', { name: 'Archive' }).click();
    await page.getByText('There is none.').waitFor();
    await page.getByLabel('State', { exact: true }).selectOption('archived');
    await page.getByRole('button', { name: 'notification.send.v1' }).waitFor();
  });

  test('a redrive that other processes have not done yet is told of, and its dialog stays', async () => {
    const page = await open('/parked');
    await page.route('**/v1/parked:redrive', async (route) => {
      const { dryRun } = route.request().postDataJSON() as { dryRun: boolean };
      const redriven: Redriven = dryRun
        ? { count: 3, ids: ['a', 'b', 'c'] }
        : { count: 2, ids: ['a', 'b'], pending: 1 };
      await route.fulfill({ status: dryRun ? 200 : 202, json: { dryRun, ...redriven } });
    });
    await page.getByRole('button', { name: 'Redrive all of these' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('3 records are handed').waitFor();
    await dialog.getByRole('button', { name: 'Redrive 3' }).click();
    const told = 'asked for, and not done yet by the processes that have them. Until then they stay in the list.';
    expect(await dialog.getByRole('status').textContent()).toBe(`2 done; 1 ${told}`);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'hidden' });
  });

  async function parkedAt(): Promise<string> {
    const path = '/v1/parked?consumer=notification.send-bot';
    const { body } = await installation.api.request<{ items: { parkedAt: string }[] }>('GET', path);
    return body.items[0]?.parkedAt ?? '';
  }

  test('a newcomer sends the first notification', async () => {
    const page = await open('/send');
    await page.getByLabel('E-mail address').fill('me@example.com');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('link', { name: 'See what becomes of it' }).click();
    await page.getByRole('region', { name: 'What became of it' }).getByText('sent', { exact: true }).waitFor();
  });

  test('a notification that waits is cancelled', async () => {
    const id = await installation.api.notify('grace', { deliverAt: '2100-01-01T00:00:00Z' });
    const page = await open(`/notifications/${id}`);
    const outcome = page.getByRole('region', { name: 'What became of it' });
    const button = outcome.getByRole('button', { name: 'Cancel this notification' });
    await button.click();
    await outcome.getByText('cancelled', { exact: true }).first().waitFor();
    await button.waitFor({ state: 'detached' });
  });

  test('the colours can be chosen, and stay', async () => {
    const page = await open('/', { colorScheme: 'light' });
    const scheme = () => page.getAttribute('html', 'data-mantine-color-scheme');
    expect(await scheme()).toBe('light');
    await page.getByRole('button', { name: 'Colours: as the system' }).click();
    await page.getByRole('button', { name: 'Colours: light' }).click();
    await page.getByRole('button', { name: 'Colours: dark' }).waitFor();
    expect(await scheme()).toBe('dark');
    await page.reload();
    await page.getByRole('button', { name: 'Colours: dark' }).waitFor();
    expect(await scheme()).toBe('dark');
  });

  test('a server that does not answer is told of, and what was there stays', async () => {
    const page = await open('/');
    await page.getByText('email.send-bot').waitFor();
    await page.route('**/v1/**', (route) => route.abort());
    await page.getByText('no answer from the server').waitFor();
    expect(await page.getByText('email.send-bot').count()).toBe(1);
    await page.unroute('**/v1/**');
    await page.getByText('no answer from the server').waitFor({ state: 'hidden' });
  });

  // For docs/console.md and the README: `PICTURES=yes npm test -- test/browser/console`.
  if (process.env.PICTURES !== undefined) {
    test('pictures for the documentation are taken', async () => {
      const shoot = (page: Page, name: string) =>
        page.screenshot({ path: fileURLToPath(new URL(`../../../docs/images/${name}.png`, import.meta.url)) });
      await seedTraffic(installation.api);
      const overview = await open('/', { colorScheme: 'light' });
      await overview.getByText('email.send-bot').waitFor();
      await shoot(overview, 'overview');
      await window!.close();
      const sent = await open(notificationPath('sent'), {
        colorScheme: 'dark',
        viewport: { width: 1280, height: 1700 },
      });
      await sent.frameLocator('iframe.mail').getByText('due on').waitFor();
      await sent.locator('.react-flow__node').first().waitFor();
      await shoot(sent, 'notification');
    }, 180_000);
  }
}
