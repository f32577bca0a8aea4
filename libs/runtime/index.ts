export * from './aggregate/cached-aggregates.js';
export * from './aggregate/decide-and-append.js';
export * from './aggregate/execute.js';
export { savedPosition } from './checkpoint/saved-position.js';
export { SavedPositions } from './checkpoint/saved-positions.js';
export type { Consumer } from './consumer/consumer.js';
export type { Oversight, ParkedAt, ParkedRecordsKnown } from './oversight/oversight.js';
export type { ArchivedRecord } from './parking/parked-book.js';
export { EarlierBooks } from './consumer/earlier-books.js';
export { partitionOf, partitionsOf } from './consumer/partitions.js';
export { bookkeepingKey, consumerOfKey, unsplit, type Split } from './consumer/split.js';
export type { ConsumerLog, ConsumerState, ConsumerStatus } from './consumer/status.js';
export type { Attempt } from './effect/attempt.js';
export * from './effect/cancel-effect.js';
export * from './effect/effect.js';
export * from './effect/run-effect.js';
export type { LeaseLog, Sharing, SharingOptions } from './lease/sharing.js';
export type { HandlerGroup, Slot } from './lease/slot.js';
export * from './live/final-waits.js';
export * from './live/latest.js';
export * from './live/live-feed.js';
export { truncateStreams } from './retention/retention.js';
export type * from './retention/stream-retention.js';
export { RetryLater } from './retry/retry-later.js';
export * from './runtime.js';
export {
  bookkeepingStreams,
  identityOf,
  runtimeAgendas,
  runtimeCheckpoints,
  runtimeInstallations,
  runtimeParked,
  runtimeRebuilds,
  runtimeRetries,
  runtimeTimers,
  runtimeVersions,
  type FailedTry,
  type RecordParked,
  type RecordRef,
} from './streams.js';
export { timersReactor } from './timer/timers.reactor.js';
export * from './topology/access.js';
export * from './topology/diagram.js';
export * from './topology/handler.js';
export { inFlow } from './topology/in-flow.js';
export * from './topology/moment.js';
export * from './topology/topology.js';
export { withMetadata } from './topology/with-metadata.js';
export { rebuildableView, type RebuildableView, type RebuildStatus, type ViewStatus } from './view/view-status.js';
export { ServedStreams } from './view/served-streams.js';
export type { ViewFold } from './view/view-fold.js';
export { fixedVersion, ViewSwitched, type ViewNames } from './view/view-names.js';
export { ViewRebuilds, type RebuildLog } from './view/view-rebuilds.js';
export { ViewVersions } from './view/view-versions.js';
export * from './work-trace.js';
