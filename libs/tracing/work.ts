import { SpanKind, SpanStatusCode, type Attributes } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { categoryOf, correlationOf, TidingsError, type RecordedEvent } from '#libs/kernel';
import { RetryLater, type Attempt, type WorkTrace } from '#libs/runtime';
import type { Spans } from './spans.js';
import { spanContextOf, traceparentFor } from './trace-context.js';

/** In milliseconds. What is built anew from older records is nothing that their traces wait for. */
const history = 24 * 60 * 60 * 1_000;

/**
 * A span for each try to handle a record, below the span within which the record was written, and one for each attempt at
 * an effect. Handlers see many records that they have nothing to do with: those have no span. Nor has a record that belongs
 * to no trace, or that is history already and handed out for the first time.
 */
export function traceWork(spans: Spans, now: () => number = Date.now): WorkTrace {
  return {
    async handling(consumer, record, { failed, again }, work) {
      const parent = spanContextOf(record.metadata['traceparent']);
      if (parent === undefined || (!again && now() - record.created > history)) return work(record);
      const options = { kind: SpanKind.CONSUMER, attributes: attributesOf(consumer, record, failed) };
      const span = spans.start(`${consumer} ${record.type}`, options, parent);
      // What is not recorded stands for nobody's parent: the record hands on what it has.
      const cause = span.isRecording() ? withTraceparent(record, traceparentFor(span.spanContext())) : record;
      const tried = async () => {
        try {
          return await work(cause);
        } catch (error) {
          if (error instanceof RetryLater) span.setAttribute('tidings.retry_later', true);
          else span.setAttribute(ATTR_ERROR_TYPE, errorType(error)).setStatus({ code: SpanStatusCode.ERROR });
          throw error;
        }
      };
      return spans.within(span, tried, (result) => result === undefined);
    },

    did: (what) => spans.note(what, {}),

    appended(appends) {
      spans.noteAppend(appends.flatMap(({ events }) => events));
    },

    async attempt(effect, attempt, work) {
      const attributes = { 'tidings.effect': effect, 'tidings.attempt': attempt };
      const span = spans.startBelow(`${effect} attempt`, { attributes });
      if (span === undefined) return work();
      return spans.within(span, async () => {
        const result = await work();
        const outcome = outcomeOf(result);
        span.setAttribute('tidings.outcome', outcome);
        if (outcome !== 'succeeded')
          span.setAttribute(ATTR_ERROR_TYPE, outcome).setStatus({ code: SpanStatusCode.ERROR });
        return result;
      });
    },
  };
}

/** By the conventions for messaging, which the package has as unstable names only. */
function attributesOf(consumer: string, record: RecordedEvent, failedTries: number): Attributes {
  return {
    'messaging.system': 'tidings',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': categoryOf(record.stream),
    'messaging.consumer.group.name': consumer,
    'messaging.message.id': record.id,
    'messaging.message.conversation_id': correlationOf(record),
    'tidings.record.type': record.type,
    'tidings.record.position': String(record.position),
    'tidings.failed_tries': failedTries,
  };
}

function withTraceparent(record: RecordedEvent, traceparent: string): RecordedEvent {
  return { ...record, metadata: { ...record.metadata, traceparent } };
}

/** The kind of error and never its text, which may hold what somebody sent. */
function errorType(error: unknown): string {
  if (error instanceof TidingsError) return error.code;
  return error instanceof Error ? error.name : '_OTHER';
}

/** `inDoubt`: it failed, and may have been taken all the same. */
function outcomeOf(attempt: Attempt): string {
  if ('receipt' in attempt) return 'succeeded';
  if (attempt.doubtful) return 'inDoubt';
  return { transient: 'failedForNow', permanent: 'failedForGood', recipientErased: 'recipientErased' }[attempt.kind];
}
