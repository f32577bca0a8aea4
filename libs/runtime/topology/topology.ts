import { isVersioned, TidingsError, type StreamDefinition } from '#libs/kernel';
import type { StreamRetention } from '../retention/stream-retention.js';
import type { AnyHandler, HandlerDeclaration } from './handler.js';

/** A stream's place in the topology: who writes it and who reads it. */
export interface StreamDeclaration<
  Stream extends StreamDefinition = StreamDefinition,
  Producer extends AnyHandler = AnyHandler,
  Consumer extends AnyHandler = AnyHandler,
> {
  readonly stream: Stream;
  /** Write-only. */
  readonly producers: readonly Producer[];
  /** Read-only: those it is handed to, and those that look single streams up. */
  readonly consumers: readonly Consumer[];
  /** Left out: all of it is kept. */
  readonly retention?: StreamRetention | undefined;
}

export interface Topology<Services = unknown> {
  readonly streams: readonly StreamDeclaration[];
  readonly handlers: readonly AnyHandler[];
  /** Type only: what the handlers need to be made. */
  readonly services?: (services: Services) => void;
}

/** `streams.config.ts` and the handlers' declarations disagree. */
export class TopologyError extends TidingsError {
  readonly code = 'topology';
}

/** Declares a stream; does not compile with a producer that has not declared to write it, or a consumer to read it. */
export function stream<
  Stream extends StreamDefinition,
  Producer extends AnyHandler & { readonly canWrite?: ((stream: Stream) => void) | undefined },
  Consumer extends AnyHandler & { readonly canRead?: ((stream: Stream) => void) | undefined },
>(
  definition: Stream,
  sides: Omit<StreamDeclaration<Stream, Producer, Consumer>, 'stream'>,
): StreamDeclaration<Stream, Producer, Consumer> {
  return { stream: definition, ...sides };
}

type HandlersOf<Declarations extends readonly StreamDeclaration[]> =
  Declarations[number]['producers'][number] | Declarations[number]['consumers'][number];

type Declared<Declarations extends readonly StreamDeclaration[]> = {
  [Index in keyof Declarations]:
    | `${Declarations[Index]['producers'][number]['name']} writes ${Declarations[Index]['stream']['category']}`
    | `${Declarations[Index]['consumers'][number]['name']} reads ${Declarations[Index]['stream']['category']}`;
}[number];

type Needed<Handler> =
  Handler extends HandlerDeclaration<infer Name, infer Reads, infer LooksUp, infer Writes, infer _Services>
    ? | (Writes extends StreamDefinition ? `${Name} writes ${Writes['category']}` : never)
      | (Reads extends StreamDefinition ? `${Name} reads ${Reads['category']}` : never)
      | (LooksUp extends StreamDefinition ? `${Name} reads ${LooksUp['category']}` : never)
    : never;

type Missing<Declarations extends readonly StreamDeclaration[]> = Exclude<
  Needed<HandlersOf<Declarations>>,
  Declared<Declarations>
>;

type Services<Handler> = (
  Handler extends HandlerDeclaration<string, infer _R, infer _L, infer _W, infer Needs> ? (needs: Needs) => void : never
) extends (needs: infer All) => void
  ? All
  : never;

/**
 * Assembles the declarations; does not compile where a handler reads or writes a stream that does not list it
 * (the error names the pair), and says so at run time too.
 */
export function defineTopology<const Declarations extends readonly StreamDeclaration[]>(
  streams: Declarations &
    ([Missing<Declarations>] extends [never] ? unknown : { readonly missing: Missing<Declarations> }),
): Topology<Services<HandlersOf<Declarations>>> {
  const handlers = new Map<string, AnyHandler>();
  const declared = new Set<string>();
  for (const {
    stream: { category },
    producers,
    consumers,
  } of streams as readonly StreamDeclaration[]) {
    if (declared.has(category)) throw new TopologyError(`${category} is declared twice`);
    declared.add(category);
    for (const handler of [...producers, ...consumers]) {
      const known = handlers.get(handler.name);
      if (known !== undefined && known !== handler) throw new TopologyError(`two handlers are called ${handler.name}`);
      handlers.set(handler.name, handler);
    }
    for (const { name } of producers) declared.add(`${name} writes ${category}`);
    for (const { name } of consumers) declared.add(`${name} reads ${category}`);
  }
  const problems: string[] = [];
  for (const { name, reads, looksUp, writes } of handlers.values()) {
    for (const { category } of writes) {
      if (!declared.has(`${name} writes ${category}`)) problems.push(`${name} writes ${category}`);
    }
    // Which version is handed out would change under the handler. Who shows views follows them as they serve.
    for (const { category } of reads.filter(isVersioned)) problems.push(`${name} is handed ${category}`);
    for (const { category } of [...reads, ...looksUp] as readonly StreamDefinition[]) {
      if (!declared.has(`${name} reads ${category}`)) problems.push(`${name} reads ${category}`);
    }
  }
  if (problems.length > 0) throw new TopologyError(`not in the topology: ${problems.join(', ')}`);
  return { streams, handlers: [...handlers.values()] };
}
