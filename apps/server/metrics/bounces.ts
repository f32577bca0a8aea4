import { Counter, type Registry } from 'prom-client';
import { bounceKinds, type BounceKind } from '#libs/channel/email';

/** `refused`: a mail to an address that no mail of ours comes back to. */
export type CountedBounce = BounceKind | 'refused';

/** Counts what is reported of mails after they were taken. */
export class BounceMetrics {
  private readonly reports: Counter<'kind'>;

  constructor(registry: Registry) {
    this.reports = new Counter({
      name: 'tidings_bounces_total',
      help: 'What was reported of mails after they were taken, by address',
      labelNames: ['kind'],
      registers: [registry],
    });
    for (const kind of [...bounceKinds, 'refused'] as const) this.reports.inc({ kind }, 0);
  }

  count(kind: CountedBounce): void {
    this.reports.inc({ kind });
  }
}
