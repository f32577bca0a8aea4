import { isVersioned } from '#libs/kernel';
import type { AnyHandler, StreamDeclaration, Topology } from '#libs/runtime';
import { Components, type JsonSchema } from '#libs/validation';

interface Reference {
  readonly $ref: string;
}

interface Channel {
  readonly address: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, { readonly description: string }>>;
  readonly messages: Readonly<Record<string, Reference>>;
}

interface Message {
  readonly name: string;
  readonly contentType: string;
  readonly headers: Reference;
  readonly payload: unknown;
}

interface Operation {
  readonly action: 'send' | 'receive';
  readonly channel: Reference;
  readonly description: string;
}

/** An AsyncAPI 3.0 document. */
export interface AsyncApiDocument {
  readonly asyncapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly defaultContentType: string;
  /** By category. */
  readonly channels: Readonly<Record<string, Channel>>;
  /** By handler, direction and category: `email.send-bot.receive.email.operation`. */
  readonly operations: Readonly<Record<string, Operation>>;
  readonly components: {
    /** By category and stored type name: the same type may stand in several streams, and say something else there. */
    readonly messages: Readonly<Record<string, Message>>;
    readonly schemas: Readonly<Record<string, unknown>>;
  };
}

const description = `Who writes and who reads which stream. A channel is a category of streams, one stream a key; a message is a stored
type. A handler receives the records that it is handed; streams that it only looks up are not told here.`;

const metadata: JsonSchema = {
  type: 'object',
  properties: {
    $correlationId: { type: 'string', description: 'Of the flow.' },
    $causationId: { type: 'string', description: 'Event id of the record that caused this one.' },
    caller: { type: 'string', description: 'Name of the API key with which it was asked for.' },
  },
};

/** The streams of a topology, with what stands in them and who writes and reads them. */
export function asyncApiDocument({ streams, handlers }: Topology<never>): AsyncApiDocument {
  const components = new Components();
  const messages: Record<string, Message> = {};
  for (const { stream } of streams) {
    for (const [type, schema] of Object.entries(stream.contents)) {
      const payload = components.refer(schema.jsonSchema?.() ?? {});
      messages[messageKey(stream, type)] = {
        name: type,
        contentType: 'application/json',
        headers: ref('schemas', 'Metadata'),
        payload,
      };
    }
  }
  return {
    asyncapi: '3.0.0',
    info: { title: 'Tidings: streams', version: 'v1', description },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(streams.map(({ stream }) => [stream.category, channelOf(stream)])),
    operations: Object.fromEntries([...streams.flatMap(sending), ...handlers.flatMap(receiving)]),
    components: { messages, schemas: { Metadata: metadata, ...components.schemas } },
  };
}

function channelOf(stream: StreamDeclaration['stream']): Channel {
  const { category, contents } = stream;
  return {
    address: `${category}${isVersioned(stream) ? '.{version}' : ''}-{key}`,
    description: `The streams of the category ${category}.`,
    parameters: {
      ...(isVersioned(stream) && { version: { description: 'Of the view: one of them serves.' } }),
      key: { description: 'Of the stream: an id, as a rule.' },
    },
    messages: Object.fromEntries(
      Object.keys(contents).map((type) => [type, ref('messages', messageKey(stream, type))]),
    ),
  };
}

function messageKey({ category }: StreamDeclaration['stream'], type: string): string {
  return `${category}.${type}`;
}

function sending({ stream: { category }, producers }: StreamDeclaration): [string, Operation][] {
  return producers.map(({ name, role }) => [
    `${name}.send.${category}`,
    { action: 'send', channel: { $ref: `#/channels/${category}` }, description: `The ${role} ${name} appends to it.` },
  ]);
}

function receiving({ name, role, reads }: AnyHandler): [string, Operation][] {
  return reads.map(({ category }) => [
    `${name}.receive.${category}`,
    {
      action: 'receive',
      channel: { $ref: `#/channels/${category}` },
      description: `The ${role} ${name} is handed its records.`,
    },
  ]);
}

function ref(kind: 'messages' | 'schemas', name: string): Reference {
  return { $ref: `#/components/${kind}/${name}` };
}
