import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import { SealBroken } from './errors.js';
import type { DataKey } from './key-store.js';

declare const brand: unique symbol;

/**
 * A text that only the holder of its key can read, and that cannot be changed unnoticed:
 * `sealed.v1.<key id>.<label>.<base64url of iv(12) | ciphertext | tag(16)>`. AES-256-GCM; everything before the last
 * part, dot included, is authenticated with it.
 */
export type Sealed = string & { readonly [brand]: true };

/** How every sealed text starts. */
export const sealedPrefix = 'sealed.v1.';

const header = String.raw`(sealed\.v1\.([\w-]{1,64})\.([a-z0-9-]{1,128})\.)`;
const sealedText = new RegExp(`^${header}([\\w-]{38,})$`);
const sealedStart = new RegExp(`^${header}`);
const labelPattern = /^[a-z0-9-]{1,128}$/;

export const algorithm = 'aes-256-gcm';
const ivBytes = 12;
export const tagBytes = 16;

const ivPool = Buffer.alloc(ivBytes * 512);
let ivOffset = ivPool.length;

function newIv(): Buffer {
  if (ivOffset === ivPool.length) {
    randomFillSync(ivPool);
    ivOffset = 0;
  }
  ivOffset += ivBytes;
  return ivPool.subarray(ivOffset - ivBytes, ivOffset);
}

/** True for a text in the form of a sealed one; whether it opens is another question. */
export function isSealed(value: unknown): value is Sealed {
  return typeof value === 'string' && value.startsWith(sealedPrefix) && sealedText.test(value);
}

/** The id of the key a text is sealed under. @throws SealBroken */
export function keyIdOf(sealed: Sealed): string {
  return parseStart(sealed).keyId;
}

/**
 * Seals a text.
 * @param label what it is: `address`, `content`, `name`, …; 1 to 128 of `a-z`, `0-9` and `-`, readable by everybody
 */
export function seal(key: DataKey, label: string, plaintext: string): Sealed {
  const start = headerFor(sealedPrefix, key, label);
  return (start + encrypt(key, start, Buffer.from(plaintext, 'utf8')).toString('base64url')) as Sealed;
}

/** @throws SealBroken */
export function open(key: DataKey, sealed: Sealed): string {
  const { start } = parseStart(sealed);
  const payload = sealed.slice(start.length);
  const bytes = Buffer.from(payload, 'base64url');
  // Several texts decode to the same bytes; only the one that was written is taken.
  if (bytes.toString('base64url') !== payload) throw new SealBroken('not canonical base64url');
  return decrypt(key, start, bytes).toString('utf8');
}

/** What stands in clear before sealed data. @throws TypeError for a label that is none */
export function headerFor(prefix: string, key: DataKey, label: string): string {
  if (!labelPattern.test(label)) throw new TypeError(`not a label for sealed data: ${label}`);
  return `${prefix}${key.id}.${label}.`;
}

function parseStart(sealed: string): { start: string; keyId: string } {
  const [, start, keyId] = sealedStart.exec(sealed) ?? [];
  if (!start || !keyId) throw new SealBroken('not sealed data');
  return { start, keyId };
}

function encrypt(key: DataKey, start: string, plaintext: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(ivBytes + plaintext.length + tagBytes);
  const iv = newIv();
  const cipher = createCipheriv(algorithm, key.key, iv, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(start, 'latin1'));
  sealed.set(iv, 0);
  sealed.set(cipher.update(plaintext), ivBytes);
  cipher.final();
  sealed.set(cipher.getAuthTag(), ivBytes + plaintext.length);
  return sealed;
}

function decrypt(key: DataKey, start: string, payload: Buffer): Buffer {
  if (payload.length < ivBytes + tagBytes) throw new SealBroken('cut short');
  const tagAt = payload.length - tagBytes;
  const decipher = createDecipheriv(algorithm, key.key, payload.subarray(0, ivBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(start, 'latin1'));
  decipher.setAuthTag(payload.subarray(tagAt));
  const plaintext = decipher.update(payload.subarray(ivBytes, tagAt));
  try {
    decipher.final();
  } catch {
    throw new SealBroken('not what was sealed under this key and label');
  }
  return plaintext;
}
