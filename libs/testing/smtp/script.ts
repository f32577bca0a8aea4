/** How the double deviates from taking every mail at once. Waiting comes first, then reply or drop. */
export interface Behaviour {
  /** Before the greeting, at RCPT TO, or when the whole mail has arrived. */
  readonly at: 'connection' | 'recipient' | 'data';
  /** Only for this recipient; at `data`, for mails that go to this recipient too. */
  readonly recipient?: string;
  /** How often, always when left out. */
  readonly times?: number;
  /** Milliseconds, or until the test lets go. */
  readonly wait?: number | PromiseLike<unknown>;
  /** The refusal: `451 4.3.0 try later`. */
  readonly reply?: string;
  /** Breaks the connection instead of replying, or right after the reply; at `data` the mail is taken all the same. */
  readonly drop?: 'beforeReply' | 'afterReply';
}

/** The behaviours still to come. */
export class Script {
  readonly #entries: { readonly behaviour: Behaviour; left: number }[] = [];

  add(behaviour: Behaviour): void {
    this.#entries.push({ behaviour, left: behaviour.times ?? Infinity });
  }

  /** The behaviour that applies now, used up by one. */
  next(at: Behaviour['at'], recipients: readonly string[]): Behaviour | undefined {
    const entry = this.#entries.find(
      ({ behaviour, left }) =>
        behaviour.at === at &&
        left > 0 &&
        (behaviour.recipient === undefined || recipients.includes(behaviour.recipient)),
    );
    if (entry) entry.left -= 1;
    return entry?.behaviour;
  }
}
