import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto';
import { SealBroken } from './errors.js';
import type { DataKey } from './key-store.js';
import { algorithm, headerFor, tagBytes } from './sealer.js';

// Sealed bytes are sealed in segments, so that content of any size takes the memory of a few of them (the STREAM
// construction: Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
// Misuse-Resistance", 2015).
//
// header(`sealed-bytes.v1.<key id>.<label>.`) | salt(32) | nonce prefix(7) | segments: ciphertext(65,536, the last one
// 0 to 65,536) | tag(16)
//
// Each is sealed under a key derived from the owner's, the salt and the header, with the nonce: prefix(7) | number of
// the segment(4, big-endian) | 1 for the last segment, else 0(1).

const prefix = 'sealed-bytes.v1.';
const saltBytes = 32;
const noncePrefixBytes = 7;
const nonceBytes = 12;
const segmentBytes = 65_536;

/** Seals bytes as they come. */
export async function* sealSegments(
  key: DataKey,
  label: string,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer> {
  const header = Buffer.from(headerFor(prefix, key, label), 'latin1');
  const random = randomBytes(saltBytes + noncePrefixBytes);
  const seal = new SegmentSeal(key, header, random);
  yield Buffer.concat([header, random]);
  for await (const { bytes, isLast } of inPieces(content, segmentBytes)) yield seal.seal(bytes, isLast);
}

/**
 * Opens them again. What it yields is genuine and in its place; that it is all there is, is known only once it has ended.
 * @throws SealBroken, also when the label or the key is another one
 */
export async function* openSegments(
  key: DataKey,
  label: string,
  sealed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer> {
  const header = Buffer.from(headerFor(prefix, key, label), 'latin1');
  const startBytes = header.length + saltBytes + noncePrefixBytes;
  let seal: SegmentSeal | undefined;
  for await (const { bytes, isLast } of inPieces(sealed, segmentBytes + tagBytes, startBytes)) {
    if (seal !== undefined) {
      yield seal.open(bytes, isLast);
      continue;
    }
    if (isLast) throw new SealBroken('cut short');
    if (!bytes.subarray(0, header.length).equals(header)) throw new SealBroken('not under this key and label');
    seal = new SegmentSeal(key, header, bytes.subarray(header.length));
  }
}

/** Seals or opens the segments of one content, one after the other. */
class SegmentSeal {
  private readonly key: KeyObject;
  private readonly nonce = Buffer.alloc(nonceBytes);
  private number = 0;

  /** A key of its own: seven random bytes alone would not keep two contents of the same owner from the same nonce. */
  constructor({ key }: DataKey, header: Buffer, random: Buffer) {
    const salt = random.subarray(0, saltBytes);
    this.key = createSecretKey(Buffer.from(hkdfSync('sha256', key, salt, header, 32)));
    random.copy(this.nonce, 0, saltBytes);
  }

  seal(bytes: Buffer, isLast: boolean): Buffer {
    const cipher = createCipheriv(algorithm, this.key, this.nextNonce(isLast), { authTagLength: tagBytes });
    const ciphertext = cipher.update(bytes);
    cipher.final();
    return Buffer.concat([ciphertext, cipher.getAuthTag()]);
  }

  open(segment: Buffer, isLast: boolean): Buffer {
    const tagAt = segment.length - tagBytes;
    if (tagAt < 0) throw new SealBroken('cut short');
    const decipher = createDecipheriv(algorithm, this.key, this.nextNonce(isLast), { authTagLength: tagBytes });
    decipher.setAuthTag(segment.subarray(tagAt));
    const bytes = decipher.update(segment.subarray(0, tagAt));
    try {
      decipher.final();
    } catch {
      throw new SealBroken('not what was sealed here under this key and label');
    }
    return bytes;
  }

  /** @throws RangeError after 2^32 segments, before any nonce comes twice */
  private nextNonce(isLast: boolean): Buffer {
    this.nonce.writeUInt32BE(this.number, noncePrefixBytes);
    this.nonce.writeUInt8(isLast ? 1 : 0, nonceBytes - 1);
    this.number += 1;
    return this.nonce;
  }
}

/** Cuts bytes anew: pieces of this size, the first of another one if need be, the last of what is left. */
async function* inPieces(
  source: AsyncIterable<Uint8Array>,
  size: number,
  firstSize = size,
): AsyncGenerator<{ readonly bytes: Buffer; readonly isLast: boolean }> {
  let wanted = firstSize;
  let waiting: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    waiting.push(chunk);
    length += chunk.length;
    // One that is just complete may turn out to be the last.
    if (length <= wanted) continue;
    let bytes = Buffer.concat(waiting, length);
    while (bytes.length > wanted) {
      yield { bytes: bytes.subarray(0, wanted), isLast: false };
      bytes = bytes.subarray(wanted);
      wanted = size;
    }
    waiting = [bytes];
    length = bytes.length;
  }
  yield { bytes: Buffer.concat(waiting, length), isLast: true };
}
