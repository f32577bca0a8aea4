import { positionParameter } from './query.js';

// Server-sent events, as https://html.spec.whatwg.org/multipage/server-sent-events.html has them.

export const eventStreamType = 'text/event-stream';

/** How long a stream is silent at most, in milliseconds, so that neither side takes the other for dead. */
export const heartbeatInterval = 15_000;

/** What every stream begins with: it sends the headers, and says after how many milliseconds to connect again. */
export const eventStreamStart = 'retry: 1000\n\n';

export const heartbeat = ': still here\n\n';

/** An event: JSON has no line breaks. @param name of an event that is no ordinary message */
export function serverSentEvent(id: string, data: unknown, name?: string): string {
  const event = name === undefined ? '' : `event: ${name}\n`;
  return `id: ${id}\n${event}data: ${JSON.stringify(data)}\n\n`;
}

/** No event to the client, but where it resumes from now on: an id without data. */
export function advanceTo(id: string): string {
  return `id: ${id}\n\n`;
}

/** The position after which to resume; undefined where the header is absent. @throws Problem 422 */
export function lastEventId(header: string | undefined): bigint | undefined {
  return positionParameter('Last-Event-ID', header);
}

/** What the source gives, and undefined whenever it has given nothing for so many milliseconds. */
export async function* orSilence<Value>(
  source: AsyncIterable<Value>,
  every: number,
): AsyncGenerator<Value | undefined> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const step = new Step(iterator.next());
      while (!(await step.settles(every))) yield undefined;
      const result = step.result();
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    // It may be waiting: whoever aborts it lets it end.
    void iterator.return?.(undefined);
  }
}

/** A step of an iteration that is waited for again and again, without leaving a trace of each wait. */
class Step<Value> {
  private outcome: (() => IteratorResult<Value>) | undefined;
  private wake: () => void = () => undefined;

  constructor(next: Promise<IteratorResult<Value>>) {
    next.then(
      (result) => this.settle(() => result),
      (error: unknown) =>
        this.settle(() => {
          throw error;
        }),
    );
  }

  /** False where it has not settled within so many milliseconds. */
  async settles(within: number): Promise<boolean> {
    if (this.outcome === undefined) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, within);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.outcome !== undefined;
  }

  result(): IteratorResult<Value> {
    return this.outcome!();
  }

  private settle(outcome: () => IteratorResult<Value>): void {
    this.outcome = outcome;
    this.wake();
  }
}
