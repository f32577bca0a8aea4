import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SealBroken } from './errors.js';
import { newKeyId } from './key-material.js';
import type { DataKey } from './key-store.js';
import { openSegments, sealSegments } from './segments.js';

function newKey(): DataKey {
  return { id: newKeyId(), owner: 'recipient/alice', key: createSecretKey(randomBytes(32)) };
}
const key = newKey();
const label = 'blob-1';
const headerBytes = `sealed-bytes.v1.${key.id}.${label}.`.length + 32 + 7;
const segment = 65_536;
const sealedSegment = segment + 16;

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const collected: Uint8Array[] = [];
  for await (const chunk of chunks) collected.push(chunk);
  return Buffer.concat(collected);
}

const seal = (content: Uint8Array, size = 10_000): Promise<Buffer> =>
  collect(sealSegments(key, label, inChunks(content, size)));
const open = (sealed: Uint8Array, size = 10_000): Promise<Buffer> =>
  collect(openSegments(key, label, inChunks(sealed, size)));

/** The header, and each segment. */
function split(sealed: Buffer): Buffer[] {
  const parts = [sealed.subarray(0, headerBytes)];
  for (let at = headerBytes; at < sealed.length; at += sealedSegment)
    parts.push(sealed.subarray(at, at + sealedSegment));
  return parts;
}

const content = randomBytes(3 * segment + 100);

describe('sealed bytes', () => {
  it('open as what they were, however they are cut up on the way', async () => {
    const sizes = fc.integer({ min: 1, max: 100_000 });
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), sizes, sizes, async (bytes, one, other) => {
      expect(await open(await seal(bytes, one), other)).toEqual(Buffer.from(bytes));
    });
    await fc.assert(property);
    expect(await open(await seal(content, 7_777), 3_333)).toEqual(content);
  });

  it.each([0, 1, segment - 1, segment, segment + 1, 2 * segment])(
    'of %i bytes open as what they were',
    async (size) => {
      const bytes = content.subarray(0, size);
      const sealed = await seal(bytes);
      expect(sealed.length).toBe(headerBytes + size + 16 * Math.max(1, Math.ceil(size / segment)));
      expect(await open(sealed)).toEqual(bytes);
    },
  );

  it('show their key and label, not their content, and are others each time', async () => {
    const canary = Buffer.from('the canary sings');
    const [first, second] = [await seal(canary), await seal(canary)];
    expect(String(first)).toContain(`sealed-bytes.v1.${key.id}.blob-1.`);
    expect(String(first)).not.toContain('canary');
    expect(first.subarray(headerBytes)).not.toEqual(second.subarray(headerBytes));
  });

  it('do not open when any byte is changed, or when they are cut or longer', async () => {
    const sealed = await seal(Buffer.from('hello'));
    for (const [at, byte] of sealed.entries()) {
      const changed = Buffer.from(sealed);
      changed[at] = byte ^ 1;
      await expect(open(changed)).rejects.toThrow(SealBroken);
      await expect(open(sealed.subarray(0, at))).rejects.toThrow(SealBroken);
    }
    await expect(open(Buffer.concat([sealed, Buffer.alloc(1)]))).rejects.toThrow(SealBroken);
  });

  it('do not open under another label or key', async () => {
    const sealed = await seal(content);
    for (const [otherKey, otherLabel] of [
      [key, 'blob-2'],
      [newKey(), label],
      [{ ...newKey(), id: key.id }, label],
    ] as const) {
      await expect(collect(openSegments(otherKey, otherLabel, inChunks(sealed, 999)))).rejects.toThrow(SealBroken);
    }
  });

  it.each<[string, (parts: Buffer[], others: Buffer[]) => (Buffer | undefined)[]]>([
    ['reordered', ([header, a, b, c, d]) => [header, b, a, c, d]],
    ['left out', ([header, a, , c, d]) => [header, a, c, d]],
    ['repeated', ([header, a, b, c, d]) => [header, a, a, b, c, d]],
    ['cut off at the end', ([header, a, b, c]) => [header, a, b, c]],
    ['all cut off', ([header]) => [header]],
    ['added after the last', ([header, a, b, c, d]) => [header, a, b, c, d, d]],
    ['taken from another blob of the same key', ([header, a, , c, d], [, , other]) => [header, a, other, c, d]],
    ['put under the header of another', ([, ...segments], [header]) => [header, ...segments]],
  ])('do not open with segments %s', async (_, tamper) => {
    const [parts, others] = [split(await seal(content)), split(await seal(content))];
    expect(parts).toHaveLength(5);
    const tampered = Buffer.concat(tamper(parts, others) as Buffer[]);
    await expect(open(tampered)).rejects.toThrow(SealBroken);
  });

  it('yield what is genuine before they find that the rest is not', async () => {
    const sealed = await seal(content);
    sealed[sealed.length - 1]! ^= 1;
    const opened = openSegments(key, label, inChunks(sealed, sealed.length));
    expect((await opened.next()).value).toEqual(content.subarray(0, segment));
    await expect(collect(opened)).rejects.toThrow(SealBroken);
  });

  it('are sealed as they come: a segment is there as soon as the next one has begun', async () => {
    let read = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const chunk of inChunks(content, 1_000)) {
        read += chunk.length;
        yield chunk;
      }
    }
    const sealed = sealSegments(key, label, counted());
    await sealed.next();
    expect(read).toBe(0);
    expect((await sealed.next()).value).toHaveLength(sealedSegment);
    expect(read).toBeLessThanOrEqual(segment + 1_000);
    await sealed.return(undefined);
  });

  it.each(['', 'Blob', 'a.b', 'x'.repeat(129)])('take no label %j', async (bad) => {
    await expect(collect(sealSegments(key, bad, inChunks(content, 1)))).rejects.toThrow(TypeError);
  });
});
