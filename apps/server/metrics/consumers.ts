import { Counter, Gauge, type Registry } from 'prom-client';
import type { ConsumerLog, ConsumerState, ConsumerStatus, Runtime } from '#libs/runtime';
import type { EventStore } from '#libs/store/port';
import { headWhenThere } from './store.js';

const states: readonly ConsumerState[] = ['running', 'paused', 'failed', 'stopped', 'standby'];
const labelNames = ['consumer'] as const;

type Sample = (status: ConsumerStatus) => number;

const gauges: readonly (readonly [name: string, help: string, sample: Sample])[] = [
  ['tidings_consumer_waiting_records', 'Records taken in and not done yet', ({ waiting }) => waiting],
  ['tidings_consumer_retrying_records', 'Records that will be tried again', ({ retrying }) => retrying],
  ['tidings_consumer_parked_records', 'Records given up, until they are redriven or archived', ({ parked }) => parked],
];

/** Where the consumers of this process are, looked up when it is asked for. */
export function collectConsumers(registry: Registry, runtime: Runtime<never>, store: Pick<EventStore, 'head'>): void {
  const registers = [registry];
  for (const [name, help, sample] of gauges) {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        for (const status of runtime.status()) this.set({ consumer: status.name }, sample(status));
      },
    });
  }
  new Gauge({
    name: 'tidings_consumer_lag_positions',
    help: 'Positions to the end of the store: no fewer than the records left to do',
    labelNames,
    registers,
    async collect() {
      const head = await headWhenThere(store);
      if (head === undefined) return;
      for (const { name, position } of runtime.status()) {
        this.set({ consumer: name }, head > position ? Number(head - position) : 0);
      }
    },
  });
  new Gauge({
    name: 'tidings_consumer_state',
    help: '1 for the state that the consumer is in, 0 for the others',
    labelNames: [...labelNames, 'state'],
    registers,
    collect() {
      for (const { name, state } of runtime.status()) {
        for (const known of states) this.set({ consumer: name, state: known }, Number(known === state));
      }
    },
  });
  new Counter({
    name: 'tidings_consumer_handled_total',
    help: 'Records handled',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const { name, handled } of runtime.status()) this.inc({ consumer: name }, handled);
    },
  });
}

/** The log, with what it is told counted. */
export function countingFailures(registry: Registry, log: ConsumerLog): ConsumerLog {
  const failures = new Counter({
    name: 'tidings_consumer_failures_total',
    help: 'Tries that failed, by what follows: again, later, park, or hold while the store is away',
    labelNames: ['consumer', 'action'],
    registers: [registry],
  });
  return {
    failed(consumer, record, error, action) {
      failures.inc({ consumer, action });
      log.failed(consumer, record, error, action);
    },
    stopped: (consumer, error) => log.stopped(consumer, error),
  };
}
