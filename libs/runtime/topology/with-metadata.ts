import type { StreamDefinition } from '#libs/kernel';
import type { ClientAppendOptions, ClientContext } from './access.js';

/** A client that says more of itself in the metadata of all that it appends. */
export function withMetadata<Readable extends StreamDefinition, Writable extends StreamDefinition>(
  client: ClientContext<Readable, Writable>,
  more: Readonly<Record<string, unknown>>,
): ClientContext<Readable, Writable> {
  const added = (options: ClientAppendOptions) => ({ ...options, metadata: { ...more, ...options.metadata } });
  return {
    read: (stream, key, options) => client.read(stream, key, options),
    readUnchecked: (stream, key, options) => client.readUnchecked(stream, key, options),
    last: (stream, key) => client.last(stream, key),
    append: (stream, key, expected, messages, options) =>
      client.append(stream, key, expected, messages, added(options)),
    appendNew: (stream, appends) =>
      client.appendNew(
        stream,
        appends.map((one) => ({ ...one, options: added(one.options) })),
      ),
  };
}
