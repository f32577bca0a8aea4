import { categoryOf, keyOf, type RecordedEvent } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import { Consumer } from './consumer/consumer.js';
import { whenThere } from './consumer/outage.js';
import { partitionsOf } from './consumer/partitions.js';
import type { Split } from './consumer/split.js';
import { StatusTeller } from './consumer/status-teller.js';
import type { ConsumerLog, ConsumerStatus } from './consumer/status.js';
import { splitAlone } from './lease/fix-partitions.js';
import { groupOf } from './lease/group-of.js';
import { LeaseKeeper } from './lease/lease-keeper.js';
import type { Lease } from './lease/lease.js';
import type { Sharing, SharingOptions } from './lease/sharing.js';
import { handlerGroups, partsOf, type Slot } from './lease/slot.js';
import { OwnOversight } from './oversight/own-oversight.js';
import type { Oversight } from './oversight/oversight.js';
import { SharedOversight } from './oversight/shared-oversight.js';
import { requestOf } from './parking/parked-request.js';
import { runtimeControls } from './streams.js';
import type { AnyHandler, Role } from './topology/handler.js';
import type { Topology } from './topology/topology.js';
import type { ViewNames } from './view/view-names.js';
import { untraced, type WorkTrace } from './work-trace.js';

export interface RuntimeOptions<Services> {
  readonly store: EventStore;
  readonly topology: Topology<Services>;
  readonly services: Services;
  /** Handlers of other roles are left to other processes. */
  readonly roles: ReadonlySet<Role>;
  readonly log: ConsumerLog;
  /** Which version of a view is meant; without it, no handler may touch one. */
  readonly views?: ViewNames;
  /** Default: follows nothing. */
  readonly trace?: WorkTrace | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly now?: () => number;
  /** Where other processes run the same handlers on the same store; left out: this one is alone. */
  readonly sharing?: SharingOptions | undefined;
}

/** All consumers of this process. */
export class Runtime<Services> {
  /** Into how many partitions flows are split. */
  readonly partitions: number;
  private readonly consumers: readonly Consumer[];
  private readonly keeper: LeaseKeeper | undefined;
  private readonly stopping = new AbortController();
  /** Where this process has the store to itself. */
  private alone: Split | undefined;

  private readonly store: EventStore;
  private readonly teller: StatusTeller | undefined;
  /** The consumers of the installation, for its operators. */
  readonly oversight: Oversight;

  constructor({
    store,
    topology,
    services,
    roles,
    log,
    views,
    trace = untraced,
    now = Date.now,
    sharing,
  }: RuntimeOptions<Services>) {
    this.store = store;
    this.partitions = sharing?.partitions ?? 1;
    const handlers: readonly AnyHandler[] = topology.handlers.filter(({ reads }) => reads.length > 0);
    this.consumers = handlers
      .filter(({ role }) => roles.has(role))
      .map((handler) => {
        const create = () => handler.create(services as never);
        return new Consumer({ store, handler, create, partitions: this.partitions, now, log, trace, views });
      });
    const groups = new Set([...roles].map((role) => groupOf({ role })));
    this.keeper =
      sharing &&
      new LeaseKeeper(store, sharing, {
        groups: handlerGroups.filter((group) => groups.has(group)),
        start: (leases, split) => this.take(leases, split),
        end: (slot) => this.end(slot),
        steered: (record) => this.steer(record),
      });
    if (sharing === undefined) {
      this.oversight = new OwnOversight(this.consumers);
      return;
    }
    const own = (name: string) => this.consumer(name);
    this.oversight = new SharedOversight({
      store,
      handlers,
      split: () => this.split,
      sharing: () => this.keeper!.sharing(),
      own,
      now,
      patience: sharing.patience,
    });
    // A process that only asks has nothing to tell.
    if (this.consumers.length > 0) {
      this.teller = new StatusTeller({ store, member: sharing.member, statuses: () => this.status(), now });
    }
  }

  /** Resolves when what this process is to do runs; waits where the store is away. @throws PartitionsDiffer */
  async start(): Promise<void> {
    if (this.keeper !== undefined) {
      await Promise.all(this.consumers.map((consumer) => consumer.start([])));
      await this.keeper.start();
      this.teller?.start();
      return;
    }
    const { signal } = this.stopping;
    const split = await whenThere(() => splitAlone(this.store), signal);
    if (split === undefined || signal.aborted) return;
    this.alone = split;
    await Promise.all(this.consumers.map((consumer) => consumer.start([{ index: 0, split, lease: undefined }])));
  }

  /** Finishes what is being handled and saves the checkpoints. */
  async drain(): Promise<void> {
    this.stopping.abort();
    await this.oversight.close();
    await this.teller?.stop();
    await this.keeper?.stop();
    await Promise.all(this.consumers.map((consumer) => consumer.drain()));
  }

  /** How flows are split in the store; undefined until that is known. */
  get split(): Split | undefined {
    return this.keeper?.split ?? this.alone;
  }

  /** Of those that have something to do in this process. */
  status(): readonly ConsumerStatus[] {
    return this.consumers.map((consumer) => consumer.status()).filter(({ state }) => state !== 'standby');
  }

  /** The consumer of that name, to pause, resume or redrive. */
  consumer(name: string): Consumer | undefined {
    return this.consumers.find((consumer) => consumer.name === name);
  }

  /** Which processes share the store, and who does what; undefined where this process is alone. */
  sharing(): Sharing | undefined {
    return this.keeper?.sharing();
  }

  /** Why this process has nothing to do although it should; undefined where all is well. */
  get trouble(): string | undefined {
    return this.keeper?.trouble;
  }

  private async take(leases: readonly Lease[], split: Split): Promise<void> {
    await Promise.all(
      this.consumers.map((consumer) =>
        consumer.start(
          leases.flatMap((lease) => {
            const { partition: index } = partsOf(lease.slot);
            return this.has(consumer, lease.slot) ? { index, split, lease } : [];
          }),
        ),
      ),
    );
  }

  private async steer(record: RecordedEvent): Promise<void> {
    const consumer = this.consumer(keyOf(record.stream));
    if (categoryOf(record.stream) === runtimeControls.category) await consumer?.controlled();
    else await consumer?.follow(requestOf(record));
  }

  private async end(slot: Slot): Promise<void> {
    const { partition } = partsOf(slot);
    const consumers = this.consumers.filter((consumer) => this.has(consumer, slot));
    await Promise.all(consumers.map((consumer) => consumer.release(partition)));
  }

  /** What is not split belongs to the first slot. */
  private has({ handler }: Consumer, slot: Slot): boolean {
    const { group, partition } = partsOf(slot);
    return groupOf(handler) === group && partition < partitionsOf(handler, this.partitions);
  }
}
