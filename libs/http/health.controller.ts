import { Controller, Get, Inject, Logger, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Public } from './access/index.js';

/** Something that has to work before requests are sent here. */
export interface ReadinessCheck {
  readonly name: string;
  /** Answers within two seconds, or counts as down. */
  check(): ReadinessResult | Promise<ReadinessResult>;
}

export interface ReadinessResult {
  readonly status: 'up' | 'down';
  /** For operators. */
  readonly detail?: string;
}

/** The body of `/health/ready`. */
export interface Readiness extends Pick<ReadinessResult, 'status'> {
  readonly checks: Readonly<Record<string, ReadinessResult>>;
}

/** Injection token of the `readonly ReadinessCheck[]` that `/health/ready` asks. */
export const READINESS_CHECKS = Symbol('readiness checks');

const patience = 2_000;

/** `/health/live`: 200 while the process runs. `/health/ready`: 200 once every check is up, else 503. */
@Controller('health')
export class HealthController {
  private readonly logger = new Logger('health');

  constructor(@Inject(READINESS_CHECKS) private readonly checks: readonly ReadinessCheck[]) {}

  @Get('live')
  @Public()
  live(): { status: 'up' } {
    return { status: 'up' };
  }

  @Get('ready')
  @Public()
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
    const results = await Promise.all(this.checks.map((check) => this.ask(check)));
    const status = results.every((result) => result.status === 'up') ? 'up' : 'down';
    void reply.code(status === 'up' ? 200 : 503).header('cache-control', 'no-store');
    return { status, checks: Object.fromEntries(this.checks.map(({ name }, index) => [name, results[index]!])) };
  }

  private async ask(check: ReadinessCheck): Promise<ReadinessResult> {
    const { promise: late, cancel } = after(patience);
    try {
      return await Promise.race([check.check(), late]);
    } catch (thrown) {
      this.logger.error(`the readiness check ${check.name} failed`, thrown instanceof Error ? thrown.stack : thrown);
      return { status: 'down', detail: 'the check failed; the cause is in the log' };
    } finally {
      cancel();
    }
  }
}

function after(milliseconds: number): { promise: Promise<ReadinessResult>; cancel: () => void } {
  let timer: NodeJS.Timeout;
  const promise = new Promise<ReadinessResult>((resolve) => {
    timer = setTimeout(() => resolve({ status: 'down', detail: 'no answer in time' }), milliseconds);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}
