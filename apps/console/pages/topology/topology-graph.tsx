import { Handle, Position, type Edge, type Node, type NodeProps } from '@xyflow/react';
import { useMemo } from 'react';
import type { ConsumerView, StreamEnd, StreamView } from '#libs/operator';
import { rateText } from '../../api/rates.js';
import { Diagram } from '../../graph/diagram.js';
import { arranged } from '../../graph/layout.js';
import { toneOf, wordOf } from '../../parts/chips.js';

interface TopologyGraphProps {
  readonly streams: readonly StreamView[];
  readonly consumers: readonly ConsumerView[];
  /** Records per second, by category. */
  readonly rates: Readonly<Record<string, number>>;
}

interface BoxData extends Record<string, unknown> {
  readonly name: string;
  readonly note: string;
  readonly tone: string;
}

type BoxNode = Node<BoxData>;

const size = { width: 256, height: 50 };
const nodeTypes = { stream: StreamBox, handler: HandlerBox };

/** Streams as boxes, handlers as round ones, arrows as records go. What is only looked up has no arrow. */
export function TopologyGraph({ streams, consumers, rates }: TopologyGraphProps) {
  // While the server runs it says the same every time, so how many there are tells whether it is another arrangement.
  const { nodes, edges } = useMemo(() => arrangement(streams), [streams.length]);
  const byName = new Map(consumers.map((consumer) => [consumer.name, consumer]));
  const shown: BoxNode[] = nodes.map((node) => ({
    ...node,
    data:
      node.type === 'stream'
        ? { name: node.id, note: rateText(rates[node.id]), tone: 'quiet' }
        : { name: node.id, ...handlerLook(byName.get(node.id)) },
  }));
  const moving = edges.map((edge) => ({ ...edge, animated: (rates[edge.source] ?? rates[edge.target] ?? 0) > 0 }));
  return (
    <Diagram isTall label="Streams and the handlers between them" nodes={shown} edges={moving} nodeTypes={nodeTypes} />
  );
}

function arrangement(streams: readonly StreamView[]): { readonly nodes: Node[]; readonly edges: Edge[] } {
  const edges: Edge[] = streams.flatMap(({ category, producers, consumers }) => [
    ...producers.map(({ name }) => edge(name, category)),
    ...consumers.filter(({ handed }) => handed).map(({ name }) => edge(category, name)),
  ]);
  const ends = streams.flatMap(({ producers, consumers }): readonly StreamEnd[] => [...producers, ...consumers]);
  const connected = new Set(edges.flatMap(({ source, target }) => [source, target]));
  const handlers = new Set(ends.map(({ name }) => name).filter((name) => connected.has(name)));
  const nodes = [
    ...streams.map(({ category }) => ({ id: category, type: 'stream', data: {} })),
    ...[...handlers].map((name) => ({ id: name, type: 'handler', data: {} })),
  ];
  return { nodes: arranged(nodes, edges, size), edges };
}

function edge(source: string, target: string): Edge {
  return { id: `${source}→${target}`, source, target };
}

/** Handlers without a consumer here are clients, or run in another process. */
function handlerLook(consumer: ConsumerView | undefined): Pick<BoxData, 'note' | 'tone'> {
  if (consumer === undefined) return { note: 'client', tone: 'busy' };
  const { state, lag, parked } = consumer;
  const note = [wordOf(state), `lag ${lag.toLocaleString('en')}`, ...(parked > 0 ? [`${parked} parked`] : [])].join(
    ', ',
  );
  return { note, tone: parked > 0 ? toneOf('parked') : toneOf(state) };
}

function StreamBox(props: NodeProps<BoxNode>) {
  return <Box {...props} shape="node" />;
}

function HandlerBox(props: NodeProps<BoxNode>) {
  return <Box {...props} shape="node node-round" />;
}

function Box({ data: { name, note, tone }, shape }: NodeProps<BoxNode> & { readonly shape: string }) {
  return (
    <>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <div className={`${shape} node-large`} data-tone={tone}>
        <strong title={name}>{name}</strong>
        <span className="dimmed">{note}</span>
      </div>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </>
  );
}
