import type { EventStore } from '#libs/store/port';

/** What happens to a store's calls; a hook that throws makes the call fail. The hooks may be changed at any time. */
export interface Faults {
  /** Before the streams are appended to: nothing is written when it throws. */
  beforeAppend?: ((streams: readonly string[]) => void | Promise<void>) | undefined;
  /** After the append: when it throws, the outcome is unknown to the writer. */
  afterAppend?: ((streams: readonly string[]) => void | Promise<void>) | undefined;
  /** Before a stream is read. */
  beforeRead?: ((stream: string) => void) | undefined;
}

/** The store, with faults. */
export function withFaults<Store extends EventStore>(store: Store, faults: Faults): Store {
  async function appending<Result>(streams: readonly string[], append: () => Promise<Result>): Promise<Result> {
    await faults.beforeAppend?.(streams);
    const result = await append();
    await faults.afterAppend?.(streams);
    return result;
  }
  const overrides: Partial<EventStore> = {
    append: (stream, expected, events) => appending([stream], () => store.append(stream, expected, events)),
    appendAll: (appends) =>
      appending(
        appends.map(({ stream }) => stream),
        () => store.appendAll(appends),
      ),
    async *readStream(stream, options) {
      faults.beforeRead?.(stream);
      yield* store.readStream(stream, options);
    },
  };
  return new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(property in overrides ? overrides : target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
