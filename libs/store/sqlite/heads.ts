/** Where a stream stands. */
export interface Head {
  /** Revision of the last event, -1 when there is none; of the last before it for a tombstone. */
  revision: number;
  /** Every event of it is hidden; the next append makes it visible again from there. */
  softDeleted: boolean;
  tombstoned: boolean;
}

/** The most recently used heads. */
export class Heads {
  readonly #heads = new Map<string, Head>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(stream: string): Head | undefined {
    const head = this.#heads.get(stream);
    if (head !== undefined) {
      this.#heads.delete(stream);
      this.#heads.set(stream, head);
    }
    return head;
  }

  set(stream: string, head: Head): void {
    if (this.#heads.size >= this.#capacity) {
      for (const oldest of this.#heads.keys()) {
        this.#heads.delete(oldest);
        break;
      }
    }
    this.#heads.set(stream, head);
  }

  delete(stream: string): void {
    this.#heads.delete(stream);
  }

  clear(): void {
    this.#heads.clear();
  }
}
