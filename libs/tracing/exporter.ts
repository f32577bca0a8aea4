import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';
import { messageOf } from '#libs/kernel';

/** What becomes of the traces on their way, told once each time it changes. */
export interface ExportLog {
  /** They do not arrive; those that do not fit in memory are dropped. */
  failing(error: string): void;
  recovered(): void;
}

type Done = Parameters<SpanExporter['export']>[1];

/** As a package has them that ours bring along. */
const succeeded: Parameters<Done>[0]['code'] = 0;
const failed: Parameters<Done>[0]['code'] = 1;

/** Exports as `inner` does, and tells when that begins to fail and when it no longer does. */
export class ReportingExporter implements SpanExporter {
  private failing = false;
  private closing = false;

  constructor(
    private readonly inner: SpanExporter,
    private readonly log: ExportLog,
  ) {}

  export(spans: ReadableSpan[], done: Done): void {
    // The process is to end: it does not wait for somebody who has not been there lately.
    if (this.closing && this.failing) {
      done({ code: failed });
      return;
    }
    this.inner.export(spans, (result) => {
      this.report(result.code === succeeded, result.error);
      done(result);
    });
  }

  /** From now on, nothing is sent to a collector that failed the last time. */
  close(): void {
    this.closing = true;
  }

  async shutdown(): Promise<void> {
    await this.inner.shutdown();
  }

  private report(ok: boolean, error: Error | undefined): void {
    if (ok === !this.failing) return;
    this.failing = !ok;
    if (ok) this.log.recovered();
    else this.log.failing(error === undefined ? 'no answer that could be used' : textOf(error));
  }
}

/** Never the answer's body. */
function textOf(error: Error): string {
  const { code } = error as { readonly code?: unknown };
  const text = messageOf(error);
  return typeof code === 'number' ? `HTTP ${code} ${text}`.trim() : text;
}
