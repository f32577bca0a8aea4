import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { newId, streamName } from '#libs/kernel';
import { eventually, TemporaryStore, ToyFlow, toyEvents, toyOperations, type ToyOptions } from '#libs/testing';
import { createSampler } from './sampler.js';
import { Spans } from './spans.js';
import { traceWork } from './work.js';

const traceId = 'a'.repeat(32);
const client = 'b'.repeat(16);

let temporary: TemporaryStore;
let flow: ToyFlow | undefined;
const exporter = new InMemorySpanExporter();

beforeEach(async () => {
  temporary = await TemporaryStore.open();
  exporter.reset();
});
afterEach(async () => {
  await flow?.drain();
  await temporary.remove();
});

async function start(
  handle: ToyOptions['handle'],
  more: Partial<ToyOptions> = {},
  now: () => number = Date.now,
): Promise<ToyFlow> {
  const provider = new NodeTracerProvider({
    sampler: createSampler('parentbased_always_on', 1),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const trace = traceWork(new Spans(provider.getTracer('test')), now);
  flow = await ToyFlow.start(temporary.store, { handle, trace, retry: { immediate: [], later: [] }, ...more });
  return flow;
}

async function enqueue(metadata: Readonly<Record<string, unknown>>): Promise<string> {
  const id = newId();
  const event = { id, type: 'toy.do.v1', data: { n: 1 }, metadata: { $correlationId: 'a', ...metadata } };
  await temporary.store.append(streamName(toyOperations, 'a'), 'any', [event]);
  return id;
}

const traced = (flags = '01') => enqueue({ traceparent: `00-${traceId}-${client}-${flags}` });

/** The trace context of what the handler has written. */
async function written(): Promise<unknown> {
  for await (const { metadata } of temporary.store.readStream(streamName(toyEvents, 'a')))
    return metadata['traceparent'];
  return undefined;
}

const writes: ToyOptions['handle'] = async ({ data }, context) => {
  await context.append(context.write(toyEvents, 'a', 'noStream', [{ type: 'toy.done.v1', data }]));
};

test('a try is below who wrote the record, and what the handler writes is below the try', async () => {
  const { consumer } = await start(writes);
  const id = await traced();
  await eventually(() => consumer.status().handled === 1);
  const [span, ...others] = exporter.getFinishedSpans();
  expect(others).toEqual([]);
  expect(span).toMatchObject({
    name: 'toy.consumer toy.do.v1',
    parentSpanContext: { traceId, spanId: client },
    attributes: {
      'messaging.system': 'tidings',
      'messaging.destination.name': 'toy.operation',
      'messaging.consumer.group.name': 'toy.consumer',
      'messaging.message.id': id,
      'messaging.message.conversation_id': 'a',
      'tidings.failed_tries': 0,
    },
    events: [{ name: 'append', attributes: { 'tidings.record.types': ['toy.done.v1'] } }],
  });
  expect(await written()).toBe(`00-${traceId}-${span!.spanContext().spanId}-01`);
});

test('a record that belongs to no trace has no span, and begins none', async () => {
  const { consumer } = await start(writes);
  await enqueue({});
  await eventually(() => consumer.status().handled === 1);
  expect(exporter.getFinishedSpans()).toEqual([]);
  expect(await written()).toBeUndefined();
});

test('a trace that is not sampled has no span, and is handed on as it is', async () => {
  const { consumer } = await start(writes);
  await traced('00');
  await eventually(() => consumer.status().handled === 1);
  expect(exporter.getFinishedSpans()).toEqual([]);
  expect(await written()).toBe(`00-${traceId}-${client}-00`);
});

test('a handler that does nothing with a record has no span', async () => {
  const { consumer } = await start(() => Promise.resolve());
  await traced();
  await eventually(() => consumer.status().handled === 1);
  expect(exporter.getFinishedSpans()).toEqual([]);
});

test('tries in the process, from the retry stream and after a redrive are spans of one trace', async () => {
  let failing = true;
  const handle: ToyOptions['handle'] = async (record, context) => {
    if (failing) throw new RangeError('canary@example.com is broken');
    await writes(record, context);
  };
  const { consumer } = await start(handle, { retry: { immediate: [1], later: [1] } });
  const id = await traced();
  await eventually(() => consumer.status().parked === 1);
  failing = false;
  expect(await consumer.redrive({ stream: streamName(toyOperations, 'a'), id })).toBe(true);
  await eventually(() => consumer.status().handled === 1);
  const spans = exporter.getFinishedSpans();
  expect(spans.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual(spans.map(() => client));
  expect(spans.map(({ status, attributes }) => [status.code, attributes['error.type']])).toEqual([
    ...Array.from({ length: spans.length - 1 }, () => [SpanStatusCode.ERROR, 'RangeError']),
    [SpanStatusCode.UNSET, undefined],
  ]);
  expect(spans.map(({ attributes }) => attributes['tidings.failed_tries'])).toEqual([0, 1, 1, 2, 0]);
  expect(JSON.stringify(spans.map(({ attributes, status, events }) => [attributes, status, events]))).not.toContain(
    'canary',
  );
});

test('a record of long ago has a span only where it is tried again', async () => {
  let failing = true;
  const handle: ToyOptions['handle'] = async (record, context) => {
    if (failing) throw new Error('broken');
    await writes(record, context);
  };
  const { consumer } = await start(handle, {}, () => Date.now() + 25 * 60 * 60 * 1_000);
  const id = await traced();
  await eventually(() => consumer.status().parked === 1);
  expect(exporter.getFinishedSpans()).toEqual([]);
  failing = false;
  await consumer.redrive({ stream: streamName(toyOperations, 'a'), id });
  await eventually(() => consumer.status().handled === 1);
  expect(exporter.getFinishedSpans()).toMatchObject([{ parentSpanContext: { traceId, spanId: client } }]);
});
