import type { LoggerService } from '@nestjs/common';
import { destination, pino, stdTimeFunctions, type Logger } from 'pino';
import { traceIdOf } from '#libs/http';
import { messageOf } from '#libs/kernel';
import type { ConsumerLog } from '#libs/runtime';
import type { LogLevelSetting } from './settings/index.js';

/** One JSON line an entry, on stderr. Entries name ids, types and error texts of this program; never data of records. */
export function createLog(level: LogLevelSetting): Logger {
  return pino({ level, base: null, timestamp: stdTimeFunctions.isoTime }, destination({ dest: 2, sync: true }));
}

/** What Nest has to say, in the same lines. */
export function nestLogger(log: Logger): LoggerService {
  const at =
    (level: 'info' | 'error' | 'warn' | 'debug') =>
    (entry: unknown, ...details: unknown[]) => {
      const { message, ...fields } = isStructured(entry) ? entry : { message: String(entry) };
      const detail = details.length > 1 && { detail: details[0] };
      log[level]({ component: details.at(-1), ...fields, ...detail }, message);
    };
  // Nest tells of every route it maps: that is for debugging.
  return { log: at('debug'), error: at('error'), warn: at('warn'), debug: at('debug'), verbose: at('debug') };
}

function isStructured(entry: unknown): entry is { readonly message: string } {
  return typeof (entry as { readonly message?: unknown } | null)?.message === 'string';
}

/** What happens to consumers. */
export function consumerLog(log: Logger): ConsumerLog {
  return {
    failed(consumer, record, error, action) {
      const { id, type, stream, metadata } = record;
      const { $correlationId: correlationId, traceparent } = metadata;
      const fields = { consumer, action, record: id, type, stream, correlationId, traceId: traceIdOf(traceparent) };
      const isExpected = action === 'hold' || action === 'again';
      log[isExpected ? 'warn' : 'error']({ ...fields, error: messageOf(error) }, 'a record failed');
    },
    stopped(consumer, error) {
      log.error({ consumer, error: messageOf(error) }, 'a consumer stopped');
    },
  };
}
