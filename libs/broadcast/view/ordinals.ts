/** A set of whole numbers below a size, a bit each. */
export class Ordinals {
  private constructor(
    private readonly size: number,
    private readonly bits: Uint8Array,
  ) {}

  static empty(size: number): Ordinals {
    return new Ordinals(size, new Uint8Array(Math.ceil(size / 8)));
  }

  /** From what `toString` has made. */
  static parse(text: string, size: number): Ordinals {
    return new Ordinals(size, new Uint8Array(Buffer.from(text, 'base64')));
  }

  /** False where it is in already, or not below the size. */
  add(ordinal: number): boolean {
    if (ordinal >= this.size) return false;
    const byte = this.bits[ordinal >> 3]!;
    const bit = 1 << (ordinal & 7);
    if ((byte & bit) !== 0) return false;
    this.bits[ordinal >> 3] = byte | bit;
    return true;
  }

  /** Base64: a third more bytes than the set has. */
  toString(): string {
    return Buffer.from(this.bits).toString('base64');
  }
}
