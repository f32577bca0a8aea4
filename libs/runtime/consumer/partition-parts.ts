import type { EventStore } from '#libs/store/port';
import type { Lease } from '../lease/lease.js';
import type { AnyHandler, HandlerInstance } from '../topology/handler.js';
import type { ViewNames } from '../view/view-names.js';
import type { WorkTrace } from '../work-trace.js';
import type { Sink } from './receiver.js';
import type { Split } from './split.js';
import type { ConsumerLog } from './status.js';

/** What a partition is made from. */
export interface PartitionParts {
  readonly store: EventStore;
  readonly handler: AnyHandler;
  readonly instance: HandlerInstance<never, never, never>;
  readonly index: number;
  /** How flows are split in this store. */
  readonly split: Split;
  /** Where other processes may have the partition at other times. */
  readonly lease: Lease | undefined;
  /** True while an operator has paused the consumer. */
  readonly isPaused: () => boolean;
  readonly now: () => number;
  readonly log: ConsumerLog;
  readonly trace: WorkTrace;
  readonly views: ViewNames | undefined;
  /** Keeps further records away; called once, when the partition stops, whatever the reason. */
  readonly leave: (partition: Sink) => Promise<void>;
}
