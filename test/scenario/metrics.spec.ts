import { beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { eventsAreElsewhere, eventually, useServer } from '../support/index.js';

const server = useServer();
const { api } = server;

interface Family {
  readonly type: string;
  readonly labels: ReadonlySet<string>;
}

beforeAll(async () => {
  await api.putRecipient('ada', 'ada@example.com', {
    channels: { email: { address: 'ada@example.com' }, slack: { channel: 'C024BE91L' } },
  });
  await api.finalView(await api.notify('ada'));
  await api.request('GET', '/no-such-thing/7');
});

async function scrape(): Promise<string> {
  return (await api.request<string>('GET', '/metrics')).body;
}

/** The value of the series that has these labels, in the order of the exposition. */
function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

/** By name, with the labels that its series have. */
function families(text: string): ReadonlyMap<string, Family> {
  const found = new Map<string, { type: string; labels: Set<string> }>();
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm))
    found.set(name!, { type: type!, labels: new Set() });
  for (const [, series, labels] of text.matchAll(/^(tidings_\w+)\{(.*)\} \S+$/gm)) {
    const name = series!.replace(/_(bucket|sum|count)$/, '');
    for (const [, label] of labels!.matchAll(/(\w+)="/g)) if (label !== 'le') found.get(name)!.labels.add(label!);
  }
  return found;
}

describe('/metrics', () => {
  test('answers in the text format of Prometheus', async () => {
    const { status, headers } = await api.request('GET', '/metrics');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  test('has what docs/metrics.md says, with the same labels, and nothing else of ours', async () => {
    const page = await readFile(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `(tidings_\w+)` +\| (\w+) +\| (.*?) +\| /gm)].map(([, name, type, labels]) => ({
      name,
      type,
      labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label).sort(),
    }));
    const ours = [...families(await scrape())].filter(([name]) => name.startsWith('tidings_'));
    const shown = ours.map(([name, { type, labels }]) => ({ name, type, labels: [...labels].sort() }));
    // No try has failed yet: that counter has no series to take labels from.
    // A server of events has metrics of its own.
    const isTold = ({ name }: (typeof rows)[number]) =>
      !eventsAreElsewhere || name === 'tidings_store_head_position' || !name!.startsWith('tidings_store_');
    const compared = (family: (typeof rows)[number]) =>
      family.name === 'tidings_consumer_failures_total' ? { ...family, labels: [] } : family;
    const byName = (one: { name?: string | undefined }, other: { name?: string | undefined }) =>
      one.name! < other.name! ? -1 : 1;
    expect(shown.sort(byName)).toEqual(rows.filter(isTold).map(compared).sort(byName));
  });

  test('has the delay of the event loop', async () => {
    expect(valueOf(await scrape(), 'nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0);
  });

  test('tells how far the consumers are', async () => {
    await eventually(async () => {
      const lag = valueOf(await scrape(), 'tidings_consumer_lag_positions{consumer="email.send-bot"}');
      return lag === 0 ? lag : undefined;
    });
    const text = await scrape();
    expect(valueOf(text, 'tidings_consumer_handled_total{consumer="email.send-bot"}')).toBe(1);
    expect(valueOf(text, 'tidings_consumer_state{consumer="email.send-bot",state="running"}')).toBe(1);
    expect(valueOf(text, 'tidings_consumer_state{consumer="email.send-bot",state="paused"}')).toBe(0);
    expect(valueOf(text, 'tidings_consumer_parked_records{consumer="email.send-bot"}')).toBe(0);
  });

  test('tells what attempts came to', async () => {
    const text = await scrape();
    const attempts = (effect: string) =>
      valueOf(text, `tidings_effect_attempt_duration_seconds_count{effect="${effect}",outcome="succeeded"}`);
    expect([attempts('email'), attempts('slackMessage')]).toEqual([1, 1]);
  });

  if (!eventsAreElsewhere)
    test('tells what the store has written', async () => {
      const text = await scrape();
      expect(valueOf(text, 'tidings_store_commits_total')).toBeGreaterThan(0);
      expect(valueOf(text, 'tidings_store_records_total')).toBe(valueOf(text, 'tidings_store_head_position'));
      expect(valueOf(text, 'tidings_store_written_bytes_total')).toBeGreaterThan(0);
    });

  test('counts requests by the template of their route, never by their path', async () => {
    const text = await scrape();
    const requests = (method: string, route: string, status: number) =>
      valueOf(
        text,
        `tidings_http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`,
      );
    expect(requests('POST', '/v1/notifications', 202)).toBe(1);
    expect(requests('PUT', '/v1/recipients/:id', 201)).toBe(1);
    expect(requests('GET', 'none', 404)).toBe(1);
    expect(text).not.toMatch(/ada|no-such-thing|C024BE91L/);
  });
});

describe('attempts that fail', () => {
  const failing = useServer({ smtp: true });

  test('are told apart by whether they may pass, and whether the mail may have been taken', async () => {
    await failing.api.putRecipient('grace', 'grace@example.com');
    failing.smtp.behave({ at: 'recipient', times: 1, reply: '451 4.3.0 try later' });
    failing.smtp.behave({ at: 'data', times: 1, drop: 'beforeReply' });
    failing.smtp.behave({ at: 'recipient', times: 1, reply: '550 5.1.1 no such user' });
    await failing.api.finalView(await failing.api.notify('grace'));
    await failing.api.finalView(await failing.api.notify('grace'));
    const { body } = await failing.api.request<string>('GET', '/metrics');
    const attempts = (outcome: string) =>
      valueOf(body, `tidings_effect_attempt_duration_seconds_count{effect="email",outcome="${outcome}"}`);
    expect({ failedForNow: attempts('failedForNow'), inDoubt: attempts('inDoubt') }).toEqual({
      failedForNow: 1,
      inDoubt: 1,
    });
    expect(attempts('failedForGood')).toBe(1);
  });
});
