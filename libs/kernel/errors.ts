import type { RecordedEvent } from './envelope.js';

/** Base of every error that Tidings throws on purpose; `code` is stable, the message is for people. */
export abstract class TidingsError extends Error {
  abstract readonly code: string;
  override get name(): string {
    return this.constructor.name;
  }
}

/** A command that the state of its aggregate does not allow. */
export class Refused extends TidingsError {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A handler reached for a stream that it did not declare. */
export class StreamAccessDenied extends TidingsError {
  readonly code = 'stream-access-denied';
  constructor(handler: string, access: 'read' | 'write', category: string) {
    super(`${handler} has not declared to ${access} ${category}`);
  }
}

/** A record that cannot be read: of an unknown type, or with data that does not fit its type. */
export class InvalidRecord extends TidingsError {
  readonly code = 'invalid-record';
  readonly stream: string;
  readonly revision: bigint;
  readonly type: string;
  constructor(
    { stream, revision, type }: Pick<RecordedEvent, 'stream' | 'revision' | 'type'>,
    readonly problems: readonly string[],
  ) {
    super(`${type} in ${stream} is not valid: ${problems.join('; ')}`);
    this.stream = stream;
    this.revision = revision;
    this.type = type;
  }

  /** Where it stands, and nothing of what it holds: for texts that are kept or shown. */
  get place(): string {
    return `revision ${this.revision} of ${this.stream}`;
  }
}

/** The text of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
