import '@xyflow/react/dist/style.css';
import { useComputedColorScheme } from '@mantine/core';
import { Background, Controls, MarkerType, ReactFlow, type Edge, type Node, type NodeTypes } from '@xyflow/react';

interface DiagramProps<Data extends Record<string, unknown>> {
  readonly label: string;
  readonly nodes: Node<Data>[];
  readonly edges: Edge[];
  readonly nodeTypes: NodeTypes;
  readonly isTall?: boolean;
}

const edgeOptions = { markerEnd: { type: MarkerType.ArrowClosed }, focusable: false };

/** A graph to look around in: drag it, or scroll with Ctrl held. Nothing in it can be changed. */
export function Diagram<Data extends Record<string, unknown>>(props: DiagramProps<Data>) {
  const { label, nodes, edges, nodeTypes, isTall = false } = props;
  const colorMode = useComputedColorScheme('light');
  return (
    <div className={isTall ? 'graph graph-tall' : 'graph'}>
      <ReactFlow
        aria-label={label}
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        colorMode={colorMode}
        defaultEdgeOptions={edgeOptions}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        preventScrolling={false}
        zoomOnScroll={false}
        minZoom={0.2}
        maxZoom={1.5}
        fitView
      >
        <Background />
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}
