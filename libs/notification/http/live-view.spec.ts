import { beforeEach, expect, test } from '@jest/globals';
import { Subject } from 'rxjs';
import type { RecordedEvent } from '#libs/kernel';
import type { LiveFeed } from '#libs/runtime';
import { MemoryKeyStore, Vault } from '#libs/vault';
import type { NotificationView } from '../view/notification-view.js';
import { liveView } from './live-view.js';

const id = '01912d68-783e-7a1b-8e10-000000000001';
const long = 60_000;
const vault = new Vault(new MemoryKeyStore());

let records: Subject<RecordedEvent>;
let stopping: AbortController;
beforeEach(() => {
  records = new Subject();
  stopping = new AbortController();
});

function viewAt(position: number): NotificationView {
  return { id, position: String(position) } as NotificationView;
}

function write(position: number, of = id): void {
  const record = { stream: `notification.view.1-${of}`, type: 'notification.view.v1', data: viewAt(position) };
  records.next(record as unknown as RecordedEvent);
}

async function follow(current: () => Promise<NotificationView>, seen?: bigint, every = long) {
  const feed = { records } as unknown as LiveFeed;
  const events = liveView({ vault, feed }, id, current, seen, stopping.signal, every);
  expect((await events.next()).value).toBe('retry: 1000\n\n');
  return events;
}

function event(position: number): string {
  return `id: ${position}\ndata: ${JSON.stringify(viewAt(position))}\n\n`;
}

test('first as it is, then as it becomes, and of what comes meanwhile only the last', async () => {
  const events = await follow(async () => viewAt(5));
  expect((await events.next()).value).toBe(event(5));
  for (let position = 6; position <= 100; position += 1) write(position);
  write(101, 'another');
  expect((await events.next()).value).toBe(event(100));
});

test('what is read is no newer than what came while it was read', async () => {
  let read!: (view: NotificationView) => void;
  const events = await follow(() => new Promise((resolve) => (read = resolve)));
  const first = events.next();
  write(7);
  expect((await first).value).toBe(event(7));
  const second = events.next();
  read(viewAt(5));
  write(8);
  expect((await second).value).toBe(event(8));
});

test('resumed, what was seen does not come again', async () => {
  const events = await follow(async () => viewAt(5), 5n);
  const first = events.next();
  // Written late: what was seen had been folded from the events.
  write(5);
  write(9);
  expect((await first).value).toBe(event(9));
});

test('while nothing changes, comments show that the connection stands', async () => {
  const events = await follow(async () => viewAt(5), 5n, 1);
  expect((await events.next()).value).toMatch(/^: /);
});

test('told to end, it ends, and listens no more', async () => {
  const events = await follow(async () => viewAt(5));
  await events.next();
  expect(records.observed).toBe(true);
  const next = events.next();
  stopping.abort();
  expect((await next).done).toBe(true);
  expect(records.observed).toBe(false);
});
