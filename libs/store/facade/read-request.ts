import streamsMessages from '@eventstore/db-client/generated/streams_pb.js';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { Direction, ReadableStore } from '#libs/store/port';
import { invalidArgument } from './errors.js';
import { streamOf, type UuidForm } from './messages.js';
import type { FacadeLimits } from './options.js';
import { linkedSelection, selectionOf } from './selection.js';
import { SelectionSource, StreamSource, type From, type Source } from './source.js';

/** What a client asks for. */
export interface ReadRequest {
  readonly source: Source;
  /** Undefined for a read of all streams. */
  readonly stream: string | undefined;
  /** The stream holds links. */
  readonly linked: boolean;
  readonly resolveLinks: boolean;
  readonly direction: Direction;
  readonly from: From;
  readonly limit: number;
  readonly isSubscription: boolean;
  /** Records that a filtered subscription looks at between two checkpoints; undefined where it tells of none. */
  readonly checkpointInterval: number | undefined;
  readonly uuids: UuidForm;
}

/** EventStoreDB's search window where the client gives none. */
const defaultWindow = 32;
const { BACKWARDS } = streamsMessages.ReadReq.Options.ReadDirection;
const largest = BigInt(Number.MAX_SAFE_INTEGER);

/** @throws CallFailed */
export function readRequestOf(request: ReadReq, store: ReadableStore, limits: FacadeLimits): ReadRequest {
  const options = request.getOptions();
  if (options === undefined) throw invalidArgument('the options are missing');
  const direction = options.getReadDirection() === BACKWARDS ? 'backwards' : 'forwards';
  const isSubscription = options.hasSubscription();
  if (isSubscription && direction === 'backwards') throw invalidArgument('a subscription goes forwards');
  const common = {
    direction,
    limit: Number(smaller(BigInt(options.getCount()), largest)),
    isSubscription,
    resolveLinks: options.getResolveLinks(),
    uuids: options.getUuidOption()?.hasStructured() ? 'structured' : 'string',
  } as const;

  const streamOptions = options.getStream();
  if (streamOptions !== undefined) {
    const stream = streamOf(streamOptions.getStreamIdentifier());
    if (stream === '') throw invalidArgument('the name of the stream is empty');
    const links = linkedSelection(stream);
    return {
      ...common,
      stream,
      linked: links !== undefined,
      source: links === undefined ? new StreamSource(store, stream) : new SelectionSource(store, links),
      from: streamOptions.hasRevision()
        ? smaller(BigInt(streamOptions.getRevision()), largest)
        : streamOptions.hasEnd()
          ? 'end'
          : 'start',
      checkpointInterval: undefined,
    };
  }

  const allOptions = options.getAll();
  if (allOptions === undefined) throw invalidArgument('neither a stream nor all streams are asked for');
  const filter = options.getFilter();
  const position = allOptions.getPosition()?.getCommitPosition();
  return {
    ...common,
    stream: undefined,
    linked: false,
    source: new SelectionSource(store, filter === undefined ? {} : selectionOf(filter, limits)),
    from: position !== undefined ? allFrom(BigInt(position), direction) : allOptions.hasEnd() ? 'end' : 'start',
    checkpointInterval:
      filter === undefined
        ? undefined
        : (filter.hasMax() ? filter.getMax() : defaultWindow) * Math.max(1, filter.getCheckpointintervalmultiplier()),
  };
}

/** EventStoreDB reads all streams from a position on, and backwards from before it. */
function allFrom(position: bigint, direction: Direction): From {
  const capped = smaller(position, largest);
  if (direction === 'forwards') return capped;
  return capped <= 1n ? 'start' : capped - 1n;
}

function smaller(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}
