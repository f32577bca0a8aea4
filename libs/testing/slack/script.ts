/** How the double deviates from taking every call at once. Waiting comes first, then reply or drop. */
export interface SlackBehaviour {
  /** A Web API method, or `upload` for the bytes of a file. */
  readonly method: string;
  /** Only for calls with this `channel` or `channel_id`. */
  readonly channel?: string;
  /** How often, always when left out. */
  readonly times?: number;
  /** Milliseconds, or until the test lets go. */
  readonly wait?: number | PromiseLike<unknown>;
  /** The answer in place of the usual one, and nothing is posted; an object is sent as JSON. 200 when left out. */
  readonly reply?: {
    readonly status?: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | object;
  };
  /** Breaks the connection instead of replying, or within the reply; what was called for is done all the same. */
  readonly drop?: 'beforeReply' | 'withinReply';
}

/** The behaviours still to come. */
export class SlackScript {
  readonly #entries: { readonly behaviour: SlackBehaviour; left: number }[] = [];

  add(behaviour: SlackBehaviour): void {
    this.#entries.push({ behaviour, left: behaviour.times ?? Infinity });
  }

  /** The behaviour that applies now, used up by one. */
  next(method: string, channel: string | undefined): SlackBehaviour | undefined {
    const entry = this.#entries.find(
      ({ behaviour, left }) =>
        behaviour.method === method && left > 0 && (behaviour.channel === undefined || behaviour.channel === channel),
    );
    if (entry) entry.left -= 1;
    return entry?.behaviour;
  }
}
