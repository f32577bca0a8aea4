import { newId, streamName } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import { runtimeStatuses, type StatusTold, type ToldConsumer } from '../streams.js';
import type { ConsumerStatus } from './status.js';

const lookEvery = 1_000;
/** Milliseconds between two records of a process whose figures change. That a consumer has failed is told at once. */
const tellEvery = 5_000;
/** Milliseconds after which it tells again what has not changed. */
const repeatEvery = 3_600_000;
const keptStatuses = 1;
/** What a process told that is gone for so long is forgotten; in seconds. */
const forgottenAfter = 86_400;
/** Characters of an error's text. */
const longestError = 500;

/** What a process tells the others of a consumer. */
export function toldOf({ name, state, handled, waiting, retrying, lastError }: ConsumerStatus): ToldConsumer {
  const error = lastError && { at: lastError.at, error: lastError.error.slice(0, longestError) };
  return { name, state, handled, waiting, retrying, lastError: error ?? null };
}

export interface StatusTellerParts {
  readonly store: EventStore;
  /** Id of this process. */
  readonly member: string;
  /** Of its consumers. */
  readonly statuses: () => readonly ConsumerStatus[];
  readonly now: () => number;
}

/** Tells the processes that share the store how the consumers of this one fare, where that changes. */
export class StatusTeller {
  private readonly stream: string;
  private timer: NodeJS.Timeout | undefined;
  private telling: Promise<void> | undefined;
  private isBounded = false;
  private isStopped = false;
  private told = '';
  private toldStates = '';
  private toldAt = -Infinity;

  constructor(private readonly parts: StatusTellerParts) {
    this.stream = streamName(runtimeStatuses, parts.member);
  }

  /** Does nothing once it was stopped. */
  start(): void {
    if (this.isStopped) return;
    this.timer = setInterval(() => this.look(), lookEvery);
    this.look();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    await this.telling;
  }

  private look(): void {
    const data: StatusTold = { consumers: this.parts.statuses().map(toldOf) };
    const told = JSON.stringify(data);
    const states = data.consumers.map(({ name, state }) => `${name} ${state}`).join();
    const since = performance.now() - this.toldAt;
    const isDue = states !== this.toldStates || (told !== this.told && since >= tellEvery) || since >= repeatEvery;
    if (!isDue || this.telling !== undefined) return;
    this.telling = this.tell(data)
      .then(
        () => {
          [this.told, this.toldStates, this.toldAt] = [told, states, performance.now()];
        },
        // The store is away: it is told another time.
        () => undefined,
      )
      .finally(() => (this.telling = undefined));
  }

  private async tell(data: StatusTold): Promise<void> {
    const { store } = this.parts;
    if (!this.isBounded) {
      await store.setStreamMetadata(this.stream, { maxCount: keptStatuses, maxAge: forgottenAfter });
      this.isBounded = true;
    }
    await store.append(this.stream, 'any', [{ id: newId(), type: 'runtime.status-told.v1', data }]);
  }
}
