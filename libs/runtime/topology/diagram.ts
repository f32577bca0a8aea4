import { isVersioned, type StreamDefinition } from '#libs/kernel';
import type { AnyHandler } from './handler.js';
import type { StreamDeclaration, Topology } from './topology.js';

/** The topology as a Mermaid flow chart: streams as boxes, handlers as rounded ones, arrows as records go. */
export function topologyDiagram({ streams, handlers }: Topology<never>): string {
  const nodes = [
    ...streams.map(({ stream }) => `  ${idOf(stream.category)}["${nameOf(stream)}"]`),
    ...handlers.map(({ name }) => `  ${idOf(name)}(["${name}"])`),
  ];
  const arrows = [
    ...streams.flatMap(({ stream, producers }) =>
      producers.map(({ name }) => `  ${idOf(name)} --> ${idOf(stream.category)}`),
    ),
    ...handlers.flatMap(({ name, reads }) => reads.map(({ category }) => `  ${idOf(category)} --> ${idOf(name)}`)),
  ];
  return ['flowchart LR', ...nodes, ...arrows].join('\n');
}

/** The topology as a Markdown table of streams. */
export function topologyTable({ streams }: Topology<never>): string {
  const rows = streams.map((declaration) => {
    const { stream, producers, consumers } = declaration;
    const types = Object.keys(stream.contents).map((type) => `\`${type}\``);
    return `| \`${nameOf(stream)}\` | ${types.join(', ')} | ${names(producers)} | ${handed(declaration)} | ${names(
      consumers.filter((consumer) => !isHanded(consumer, declaration)),
    )} |`;
  });
  return [
    '| Stream | Contents | Written by | Handed to | Looked up by |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** What of the streams is not kept for ever, as Markdown. */
export function topologyRetentions({ streams }: Topology<never>): string {
  return streams
    .flatMap(({ stream, retention }) =>
      retention === undefined ? [] : [`- \`${stream.category}\`: ${retention.until}`],
    )
    .join('\n');
}

function handed(declaration: StreamDeclaration): string {
  return names(declaration.consumers.filter((consumer) => isHanded(consumer, declaration)));
}

function isHanded({ reads }: AnyHandler, { stream }: StreamDeclaration): boolean {
  return reads.some(({ category }) => category === stream.category);
}

function names(handlers: readonly AnyHandler[]): string {
  return handlers.map(({ name }) => `\`${name}\``).join(', ') || '–';
}

function idOf(name: string): string {
  return name.replaceAll(/[^a-z0-9]/gi, '_');
}

/** Of a view, all of its versions. */
function nameOf(stream: StreamDefinition): string {
  return isVersioned(stream) ? `${stream.category}.*` : stream.category;
}
