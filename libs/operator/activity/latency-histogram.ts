/** Buckets a doubling: what is told of a bucket is at most a fifth too long. */
const bucketsPerDoubling = 4;

/** How long things took, in buckets that grow with the time: its size does not depend on how many there were. */
export class LatencyHistogram {
  private readonly buckets: number[] = [];
  private total = 0;

  get count(): number {
    return this.total;
  }

  add(milliseconds: number): void {
    const bucket = milliseconds <= 1 ? 0 : Math.ceil(Math.log2(milliseconds) * bucketsPerDoubling);
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
    this.total += 1;
  }

  addAll(other: LatencyHistogram): void {
    other.buckets.forEach((count, bucket) => (this.buckets[bucket] = (this.buckets[bucket] ?? 0) + count));
    this.total += other.total;
  }

  /**
   * Milliseconds within which that part of them was done, rounded up to the end of a bucket; null: there were none.
   * @param part above 0, at most 1
   */
  quantile(part: number): number | null {
    let left = Math.ceil(part * this.total);
    if (left === 0) return null;
    const bucket = this.buckets.findIndex((count = 0) => (left -= count) <= 0);
    return Math.round(2 ** (bucket / bucketsPerDoubling));
  }
}
