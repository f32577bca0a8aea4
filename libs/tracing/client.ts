import type { StreamDefinition } from '#libs/kernel';
import { withMetadata, type ClientContext } from '#libs/runtime';
import type { Spans } from './spans.js';
import { traceparentFor } from './trace-context.js';

/** The client, with what it appends below the request that it appends it for. */
export function traceClient<Readable extends StreamDefinition, Writable extends StreamDefinition>(
  spans: Spans,
  client: ClientContext<Readable, Writable>,
): ClientContext<Readable, Writable> {
  const carrying = () => {
    const { current } = spans;
    return current?.isRecording()
      ? withMetadata(client, { traceparent: traceparentFor(current.spanContext()) })
      : client;
  };
  return {
    ...client,
    async append(stream, key, expected, messages, options) {
      const result = await carrying().append(stream, key, expected, messages, options);
      spans.noteAppend(messages);
      return result;
    },
    async appendNew(stream, appends) {
      const results = await carrying().appendNew(stream, appends);
      for (const { messages } of appends) spans.noteAppend(messages);
      return results;
    },
  };
}
