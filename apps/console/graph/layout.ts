import { Graph, layout } from '@dagrejs/dagre';
import type { Edge, Node } from '@xyflow/react';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Of a node's middle. */
interface Place {
  readonly x: number;
  readonly y: number;
}

/** Puts nodes of one size in layers, from left to right, with as few edges going back as can be found quickly. */
export function arranged<Data extends Record<string, unknown>>(
  nodes: readonly Omit<Node<Data>, 'position'>[],
  edges: readonly Edge[],
  { width, height }: Size,
): Node<Data>[] {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 12, ranksep: 44, acyclicer: 'greedy' });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of nodes) graph.setNode(id, { width, height });
  for (const { source, target } of edges) graph.setEdge(source, target);
  layout(graph);
  return nodes.map((node) => {
    const { x, y } = graph.node(node.id) as Place;
    return { ...node, width, height, position: { x: x - width / 2, y: y - height / 2 } };
  });
}
