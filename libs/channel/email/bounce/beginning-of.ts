/** Bytes that a mail that comes back may have: with it may come all of the mail that it is about. */
export const mostMailBytes = 67_108_864;

/** Bytes of it that are kept and looked at; what is reported stands before the mail that it is about. */
const keptBytes = 1_048_576;

/** The beginning of a mail, read to its end. */
export async function beginningOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const kept: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    if (length < keptBytes) kept.push(chunk.subarray(0, keptBytes - length));
    length += chunk.length;
  }
  return Buffer.concat(kept);
}
