import type { AppendReq, BatchAppendReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { Metadata } from '#libs/kernel';
import {
  AppendTooLarge,
  CorruptedIdempotency,
  maxAppendBytes,
  WrongExpectedRevision,
  type AppendResult,
  type EventStore,
  type ExpectedRevision,
  type NewEvent,
} from '#libs/store/port';
import { accessDenied, invalidArgument, type CallFailed } from './errors.js';
import { uuidOf } from './messages.js';

type ProposedMessage = AppendReq.ProposedMessage | BatchAppendReq.ProposedMessage;

/** The words for a revision, which every request has in a message of its own. */
interface ExpectedOptions {
  hasAny(): boolean;
  hasNoStream(): boolean;
  hasStreamExists?(): boolean;
}

export function expectedOf(options: ExpectedOptions, revision: string): ExpectedRevision {
  if (options.hasAny()) return 'any';
  if (options.hasNoStream()) return 'noStream';
  if (options.hasStreamExists?.()) return 'streamExists';
  return BigInt(revision);
}

/** The events of one append, as they come in. */
export class Proposals {
  readonly #stream: string;
  #events: NewEvent[] = [];
  #bytes = 0;
  #failure: CallFailed | AppendTooLarge | undefined;

  constructor(stream: string) {
    this.#stream = stream;
    if (stream.startsWith('$') && !stream.startsWith('$$'))
      this.#failure = accessDenied(`${stream} is a system stream`);
  }

  /** Takes an event. What is wrong with it is said by `append`, when the client listens. */
  add(message: ProposedMessage): void {
    const data = message.getData_asU8();
    const metadata = message.getCustomMetadata_asU8();
    const type = message.getMetadataMap().get('type') ?? '';
    this.#bytes += data.length + metadata.length + 2 * type.length;
    // No more is kept than could be appended.
    if (this.#bytes > maxAppendBytes) this.#fail(new AppendTooLarge(this.#stream, this.#bytes, maxAppendBytes));
    if (this.#failure !== undefined) return;
    const isJson = message.getMetadataMap().get('content-type') === 'application/json';
    const dataJson = isJson ? parsed(data) : undefined;
    const metadataJson = metadata.length === 0 ? {} : parsed(metadata);
    if (dataJson === undefined || metadataJson === undefined) {
      this.#fail(invalidArgument(`${type}: only JSON can be appended`));
      return;
    }
    this.#events.push({ id: uuidOf(message.getId()), type, data: dataJson, metadata: metadataJson as Metadata });
  }

  #fail(failure: CallFailed | AppendTooLarge): void {
    this.#failure ??= failure;
    this.#events = [];
  }

  /** @throws WrongExpectedRevision, StreamDeleted, AppendTooLarge, CallFailed */
  async append(store: EventStore, expected: ExpectedRevision): Promise<AppendResult> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return await store.append(this.#stream, expected, this.#events);
    } catch (error) {
      // What the client gave is no event or no stream name.
      if (error instanceof TypeError) throw invalidArgument(error.message);
      // EventStoreDB has no error of its own for it.
      if (error instanceof CorruptedIdempotency) {
        throw new WrongExpectedRevision(this.#stream, expected, await lastRevision(store, this.#stream));
      }
      throw error;
    }
  }
}

/** Undefined where it is no JSON. */
function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}

async function lastRevision(store: EventStore, stream: string): Promise<bigint | 'noStream'> {
  for await (const { revision } of store.readStream(stream, { direction: 'backwards', limit: 1 })) return revision;
  return 'noStream';
}
