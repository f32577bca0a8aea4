import { AsyncLocalStorage } from 'node:async_hooks';
import {
  ROOT_CONTEXT,
  trace,
  type Attributes,
  type Span,
  type SpanContext,
  type SpanOptions,
  type Tracer,
} from '@opentelemetry/api';

interface UnderWay {
  readonly span: Span;
  /** Something happened within it. */
  busy: boolean;
}

/** Starts spans, and knows the one that is under way where somebody asks. */
export class Spans {
  private readonly underWay = new AsyncLocalStorage<UnderWay>();

  constructor(private readonly tracer: Tracer) {}

  /** @param parent none: the span begins a trace */
  start(name: string, options: SpanOptions, parent: SpanContext | undefined): Span {
    const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
    return this.tracer.startSpan(name, options, context);
  }

  /** A span below the one under way; undefined where there is none. */
  startBelow(name: string, options: SpanOptions): Span | undefined {
    const current = this.underWay.getStore();
    if (current === undefined) return undefined;
    current.busy = true;
    return this.start(name, options, current.span.spanContext());
  }

  /** The span within which this is asked. */
  get current(): Span | undefined {
    return this.underWay.getStore()?.span;
  }

  /** Says of the span under way that something happened just now. */
  note(event: string, attributes: Attributes): void {
    const current = this.underWay.getStore();
    if (current === undefined) return;
    current.busy = true;
    current.span.addEvent(event, attributes);
  }

  /** Says of the span under way that these were appended just now. */
  noteAppend(events: readonly { readonly type: string }[]): void {
    this.note('append', { 'tidings.record.types': events.map(({ type }) => type) });
  }

  /** Goes on within the span, whose end is somebody else's affair. */
  enter(span: Span, goOn: () => void): void {
    this.underWay.run({ span, busy: true }, goOn);
  }

  /**
   * Does the work within the span, and ends the span after it.
   * @param isIdle whether a result says that nothing was done: a span within which nothing happened is not sent then
   */
  async within<Result>(
    span: Span,
    work: () => Promise<Result>,
    isIdle: (result: Result) => boolean = () => false,
  ): Promise<Result> {
    const underWay: UnderWay = { span, busy: false };
    try {
      const result = await this.underWay.run(underWay, work);
      // A span that never ends is never sent.
      if (underWay.busy || !isIdle(result)) span.end();
      return result;
    } catch (error) {
      span.end();
      throw error;
    }
  }
}
