import { Histogram, type Registry } from 'prom-client';
import { EmailFailure, type EmailTransport } from '#libs/channel/email';
import { SlackFailure, type SlackTransport } from '#libs/channel/slack';

type Effect = 'email' | 'slackMessage' | 'slackFile';

/** `inDoubt`: it failed, and may have been taken all the same. */
type Outcome = 'succeeded' | 'failedForNow' | 'failedForGood' | 'inDoubt';

/** How long attempts take, and what they come to. */
export class EffectMetrics {
  private readonly attempts: Histogram<'effect' | 'outcome'>;

  constructor(registry: Registry) {
    this.attempts = new Histogram({
      name: 'tidings_effect_attempt_duration_seconds',
      help: 'Time of one attempt, by outcome',
      labelNames: ['effect', 'outcome'],
      buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers: [registry],
    });
  }

  email(transport: EmailTransport): EmailTransport {
    return {
      sandbox: transport.sandbox,
      send: (message, ...more) => this.measure('email', () => transport.send(message, ...more)),
      close: () => transport.close(),
    };
  }

  slack(transport: SlackTransport): SlackTransport {
    return {
      sandbox: transport.sandbox,
      postMessage: (message) => this.measure('slackMessage', () => transport.postMessage(message)),
      uploadFile: (file) => this.measure('slackFile', () => transport.uploadFile(file)),
    };
  }

  private async measure<Receipt>(effect: Effect, attempt: () => Promise<Receipt>): Promise<Receipt> {
    const start = performance.now();
    let outcome: Outcome = 'succeeded';
    try {
      return await attempt();
    } catch (error) {
      outcome = outcomeOf(error);
      throw error;
    } finally {
      this.attempts.observe({ effect, outcome }, (performance.now() - start) / 1_000);
    }
  }
}

function outcomeOf(error: unknown): Outcome {
  const isKnown = error instanceof EmailFailure || error instanceof SlackFailure;
  if (!isKnown || error.doubtful) return 'inDoubt';
  return error.kind === 'permanent' ? 'failedForGood' : 'failedForNow';
}
