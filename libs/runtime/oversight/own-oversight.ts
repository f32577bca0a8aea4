import { Refused } from '#libs/kernel';
import type { Consumer } from '../consumer/consumer.js';
import type { ConsumerStatus } from '../consumer/status.js';
import type { ReleaseHow } from '../parking/parked-request.js';
import type { Oversight, ParkedAt, ParkedRecordsKnown, Released } from './oversight.js';

/** Records released at a time. */
const releasedAtOnce = 256;

/** Of a process that has the store alone. */
export class OwnOversight implements Oversight {
  constructor(private readonly consumers: readonly Consumer[]) {}

  knows(name: string): boolean {
    return this.find(name) !== undefined;
  }

  statuses(): Promise<readonly ConsumerStatus[]> {
    return Promise.resolve(this.consumers.map((consumer) => consumer.status()));
  }

  async turn(name: string, how: 'pause' | 'resume'): Promise<ConsumerStatus> {
    const consumer = this.running(name);
    await consumer[how]();
    return consumer.status();
  }

  parked(): Promise<ParkedRecordsKnown> {
    const { consumers } = this;
    return Promise.resolve({
      omitted: 0,
      list: () => consumers.flatMap((one) => one.listParked().map((parked) => ({ consumer: one.name, parked }))),
      listArchived: () =>
        consumers.flatMap((one) => one.listArchived().map((parked) => ({ consumer: one.name, parked }))),
    });
  }

  async release(how: ReleaseHow, records: readonly ParkedAt[]): Promise<Released> {
    for (const name of new Set(records.map(({ consumer }) => consumer))) this.running(name);
    const done: ParkedAt[] = [];
    for (let start = 0; start < records.length; start += releasedAtOnce) {
      const some = records.slice(start, start + releasedAtOnce);
      const released = await Promise.all(some.map(({ consumer, parked }) => this.find(consumer)![how](parked.record)));
      // One that somebody else redrives or archives at the same time is not counted twice.
      done.push(...some.filter((_, index) => released[index]));
    }
    return { done, pending: [] };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private find(name: string): Consumer | undefined {
    return this.consumers.find((consumer) => consumer.name === name);
  }

  /** @throws Refused */
  private running(name: string): Consumer {
    const consumer = this.find(name)!;
    const { state } = consumer.status();
    if (state === 'failed' || state === 'stopped') throw new Refused('consumer-stopped', `${name} has stopped`);
    return consumer;
  }
}
