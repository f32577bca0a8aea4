import { hash, randomFillSync } from 'node:crypto';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** True for a lower-case UUID of versions 1 to 8. */
export function isUuid(text: string): boolean {
  return uuidPattern.test(text);
}

function format(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const variantDigits = '89ab';

let lastMillisecond = 0;
let sequence = 0;
const pool = Buffer.alloc(8 * 256);
let poolOffset = pool.length;

function randomHex(): string {
  if (poolOffset === pool.length) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  const hex = pool.toString('hex', poolOffset, poolOffset + 8);
  poolOffset += 8;
  return hex;
}

/**
 * A new UUIDv7: 48 bits of milliseconds since the Unix epoch, a 12-bit counter, 62 random bits.
 * Ids made by one process sort in the order they were made, also within one millisecond and when the
 * clock steps back.
 */
export function newId(now: number = Date.now()): string {
  if (now > lastMillisecond) {
    lastMillisecond = now;
    sequence = 0;
  } else if (++sequence > 0xfff) {
    lastMillisecond += 1;
    sequence = 0;
  }
  const time = lastMillisecond.toString(16).padStart(12, '0');
  const random = randomHex();
  const variant = variantDigits[parseInt(random[0]!, 16) & 3]!;
  return format(`${time}7${sequence.toString(16).padStart(3, '0')}${variant}${random.slice(1)}`);
}

/**
 * The id of what `cause` makes in `target`: a UUIDv8 that starts with the cause's 48-bit time prefix and goes
 * on with a hash, so that the same cause always makes the same id and ids stay close to their cause in an index.
 *
 * @param cause id of the causing record (UUIDv7 or UUIDv8)
 * @param target name of the stream, or of whatever else the id is for
 * @param ordinal tells several ids of one cause and target apart; for events it is the revision they are meant for
 */
export function deriveId(cause: string, target: string, ordinal: number | bigint): string {
  const digest = hash('sha1', `${cause}|${target}|${ordinal}`);
  const time = cause.slice(0, 8) + cause.slice(9, 13);
  const variant = variantDigits[parseInt(digest[3]!, 16) & 3]!;
  return format(`${time}8${digest.slice(0, 3)}${variant}${digest.slice(4, 19)}`);
}

/** When the id was made, in milliseconds since the Unix epoch: the time prefix of a UUIDv7 or UUIDv8. */
export function timeOfId(id: string): number {
  return parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
