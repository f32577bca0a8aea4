/**
 * Which position of the one store became which of the other. Both grow, so it is two sorted lists: 16 bytes a record.
 * Positions are below 2^53 in both stores.
 */
export class Positions {
  private from: Float64Array = new Float64Array(1024);
  private to: Float64Array = new Float64Array(1024);
  private length = 0;

  /** Both have to be above those before. */
  add(from: bigint, to: bigint): void {
    if (this.length === this.from.length) {
      this.from = grown(this.from);
      this.to = grown(this.to);
    }
    this.from[this.length] = Number(from);
    this.to[this.length] = Number(to);
    this.length += 1;
  }

  /** The last position of the source that is known; undefined where there is none. */
  get last(): bigint | undefined {
    return this.length === 0 ? undefined : BigInt(this.from[this.length - 1]!);
  }

  /** What stands for this position: that of the record there, or else of the last one before it; 0 before all of them. */
  translate(position: bigint): bigint {
    const wanted = Number(position);
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.from[middle]! <= wanted) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0n : BigInt(this.to[low - 1]!);
  }
}

function grown(list: Float64Array): Float64Array {
  const larger = new Float64Array(list.length * 2);
  larger.set(list);
  return larger;
}
