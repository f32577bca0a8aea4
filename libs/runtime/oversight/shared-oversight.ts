import { InvalidRecord, parse, streamName } from '#libs/kernel';
import { StoreUnavailable, type EventStore } from '#libs/store/port';
import { SavedPositions } from '../checkpoint/saved-positions.js';
import type { Consumer } from '../consumer/consumer.js';
import { Control } from '../consumer/control.js';
import { partitionsOf } from '../consumer/partitions.js';
import type { Split } from '../consumer/split.js';
import { toldOf } from '../consumer/status-teller.js';
import type { ConsumerState, ConsumerStatus } from '../consumer/status.js';
import { groupOf } from '../lease/group-of.js';
import type { Sharing } from '../lease/sharing.js';
import { partsOf } from '../lease/slot.js';
import { ParkedIndex } from '../parking/parked-index.js';
import { request, type ReleaseHow } from '../parking/parked-request.js';
import { runtimeStatuses, type FailedTry, type ToldConsumer } from '../streams.js';
import type { AnyHandler } from '../topology/handler.js';
import type { Oversight, ParkedAt, ParkedRecordsKnown, Released } from './oversight.js';

/** How long others are waited for, in milliseconds: to do what they are asked for, and to take what is written. */
const usualPatience = 5_000;
/** Milliseconds for which an answer is good: consoles ask again and again. */
const freshFor = 1_000;

export interface SharedOversightParts {
  readonly store: EventStore;
  /** Those that have consumers, in whichever process. */
  readonly handlers: readonly AnyHandler[];
  /** How flows are split; undefined until that is known. */
  readonly split: () => Split | undefined;
  readonly sharing: () => Sharing;
  /** The consumer of this process, if it runs that handler. */
  readonly own: (name: string) => Consumer | undefined;
  readonly now: () => number;
  /** How long others are waited for, in milliseconds. Default 5,000. */
  readonly patience?: number | undefined;
}

/**
 * Of all processes that share a store. What it tells stands in the store: checkpoints, parked and control streams, and what
 * the others tell now and then. What it wants it writes there, and whoever has the partitions follows that.
 */
export class SharedOversight implements Oversight {
  private readonly positions: ReadonlyMap<string, SavedPositions>;
  private readonly asked = new Set<string>();
  private index: Promise<ParkedIndex> | undefined;
  private lately: { readonly at: number; readonly statuses: Promise<readonly ConsumerStatus[]> } | undefined;

  constructor(private readonly parts: SharedOversightParts) {
    const { store, handlers, split } = parts;
    this.positions = new Map(handlers.map((handler) => [handler.name, new SavedPositions(store, handler, split)]));
  }

  knows(name: string): boolean {
    return this.find(name) !== undefined;
  }

  statuses(): Promise<readonly ConsumerStatus[]> {
    const now = performance.now();
    if (this.lately !== undefined && now - this.lately.at < freshFor) return this.lately.statuses;
    const statuses = this.readAll();
    const lately = { at: now, statuses };
    this.lately = lately;
    statuses.catch(() => {
      if (this.lately === lately) this.lately = undefined;
    });
    return statuses;
  }

  async turn(name: string, how: 'pause' | 'resume'): Promise<ConsumerStatus> {
    const control = this.controlOf(name);
    await control.load();
    await control[how]();
    await this.parts.own(name)?.controlled();
    this.lately = undefined;
    const statuses = await this.statuses();
    return statuses.find((status) => status.name === name)!;
  }

  async parked(): Promise<ParkedRecordsKnown> {
    const index = await this.opened();
    const { handlers } = this.parts;
    return {
      omitted: index.omitted,
      list: () => handlers.flatMap(({ name }) => index.list(name).map((parked) => ({ consumer: name, parked }))),
      listArchived: () =>
        handlers.flatMap(({ name }) => index.listArchived(name).map((parked) => ({ consumer: name, parked }))),
    };
  }

  async release(how: ReleaseHow, records: readonly ParkedAt[]): Promise<Released> {
    const { store, patience: within = usualPatience } = this.parts;
    const index = await this.opened();
    const until = performance.now() + within;
    const byConsumer = new Map<string, Map<string, ParkedAt>>();
    for (const record of records) {
      const { consumer, parked } = record;
      const parking = index.parkingOf(consumer, parked.record);
      if (parking === undefined) continue;
      const wanted = byConsumer.get(consumer) ?? new Map<string, ParkedAt>();
      byConsumer.set(consumer, wanted.set(parking, record));
    }
    for (const [consumer, wanted] of byConsumer) {
      await request(store, consumer, { how, parkings: [...wanted.keys()] }, !this.asked.has(consumer));
      this.asked.add(consumer);
    }
    const [done, pending]: [ParkedAt[], ParkedAt[]] = [[], []];
    for (const [consumer, wanted] of byConsumer) {
      const left = await index.released(consumer, [...wanted.keys()], Math.max(0, until - performance.now()));
      for (const [parking, record] of wanted) (left.has(parking) ? pending : done).push(record);
    }
    return { done, pending };
  }

  async close(): Promise<void> {
    const index = await this.index?.catch(() => undefined);
    await index?.close();
  }

  private find(name: string): AnyHandler | undefined {
    return this.parts.handlers.find((handler) => handler.name === name);
  }

  /** @throws StoreUnavailable where it has not answered yet */
  private get split(): Split {
    const split = this.parts.split();
    if (split === undefined) throw new StoreUnavailable('the store has not said yet how its flows are split');
    return split;
  }

  /** What is parked is followed from when it was first asked for. */
  private async opened(): Promise<ParkedIndex> {
    const { store, handlers } = this.parts;
    this.index ??= ParkedIndex.open({ store, handlers, split: this.split }).catch((error: unknown) => {
      this.index = undefined;
      throw error;
    });
    return this.index;
  }

  private async readAll(): Promise<readonly ConsumerStatus[]> {
    const { handlers, sharing } = this.parts;
    const { me, members } = sharing();
    const index = await this.opened();
    const others = members.filter(({ id }) => id !== me);
    const told = (await Promise.all(others.map(({ id }) => this.toldBy(id)))).flat();
    const slots = members.flatMap((member) => member.slots.map(partsOf));
    const statuses: ConsumerStatus[] = [];
    // One after the other: a console that asks every other second must not take the store's time from the consumers.
    for (const handler of handlers) statuses.push(await this.read(handler, told, slots, index));
    return statuses;
  }

  private async read(
    handler: AnyHandler,
    told: readonly ToldConsumer[],
    slots: readonly ReturnType<typeof partsOf>[],
    index: ParkedIndex,
  ): Promise<ConsumerStatus> {
    const { name, role } = handler;
    const { own } = this.parts;
    const { count } = this.split;
    const group = groupOf(handler);
    const held = slots.filter((slot) => slot.group === group && slot.partition < partitionsOf(handler, count));
    const consumer = own(name);
    const control = this.controlOf(name);
    await control.load();
    const position = await this.positions.get(name)!.least((partition) => consumer?.positionOf(partition));
    const parts = told.filter((one) => one.name === name);
    if (consumer !== undefined) parts.push(toldOf(consumer.status()));
    const sum = (count: (part: ToldConsumer) => number) => parts.reduce((all, one) => all + count(one), 0);
    const errors = parts.flatMap(({ lastError }) => lastError ?? []);
    return {
      name,
      role,
      state: stateOf(parts, control.pausedAt, held.length),
      partitions: [...new Set(held.map(({ partition }) => partition))].sort((one, other) => one - other),
      position,
      handled: sum(({ handled }) => handled),
      waiting: sum(({ waiting }) => waiting),
      retrying: sum(({ retrying }) => retrying),
      parked: index.countOf(name),
      lastError: latest(errors),
      pausedAt: control.pausedAt,
    };
  }

  private controlOf(name: string): Control {
    const { store, now } = this.parts;
    return new Control(store, name, AbortSignal.timeout(usualPatience), now);
  }

  /** What another process told last; nothing where it has told nothing yet, or is of an older version. */
  private async toldBy(member: string): Promise<readonly ToldConsumer[]> {
    const stream = streamName(runtimeStatuses, member);
    for await (const record of this.parts.store.readStream(stream, { direction: 'backwards', limit: 1 })) {
      try {
        return parse(runtimeStatuses, record).data.consumers;
      } catch (error) {
        if (!(error instanceof InvalidRecord)) throw error;
      }
    }
    return [];
  }
}

function stateOf(parts: readonly ToldConsumer[], pausedAt: number | undefined, held: number): ConsumerState {
  if (parts.some(({ state }) => state === 'failed')) return 'failed';
  if (pausedAt !== undefined) return 'paused';
  return held > 0 ? 'running' : 'stopped';
}

function latest(errors: readonly FailedTry[]): FailedTry | undefined {
  return [...errors].sort((one, other) => one.at - other.at).at(-1);
}
