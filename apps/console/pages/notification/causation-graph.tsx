import { Handle, Position, type Edge, type Node, type NodeProps } from '@xyflow/react';
import { useMemo } from 'react';
import type { RecordView } from '#libs/http';
import { Diagram } from '../../graph/diagram.js';
import { arranged } from '../../graph/layout.js';

interface CausationGraphProps {
  readonly records: readonly RecordView[];
  /** Position of the record up to which is shown; what came later is faint. */
  readonly asOf: string | undefined;
  onOpen(record: RecordView): void;
}

type RecordNode = Node<{
  readonly record: RecordView;
  readonly isLater: boolean;
  readonly onOpen: (record: RecordView) => void;
}>;

const size = { width: 216, height: 44 };
const nodeTypes = { record: RecordBox };

/** Every record as a box that its cause points to. An id is unique in its stream only, so a cause may be several. */
export default function CausationGraph({ records, asOf, onOpen }: CausationGraphProps) {
  const { nodes, edges } = useMemo(() => {
    const edgesOf: Edge[] = records.flatMap(({ position, causationId }) =>
      records
        .filter((cause) => cause.id === causationId)
        .map((cause) => ({ id: `${cause.position}-${position}`, source: cause.position, target: position })),
    );
    const boxes = records.map((record) => ({ id: record.position, type: 'record', data: { record } }));
    return { nodes: arranged(boxes, edgesOf, size), edges: edgesOf };
  }, [records]);
  const shown: RecordNode[] = nodes.map((node) => {
    const { record } = node.data;
    const isLater = asOf !== undefined && BigInt(record.position) > BigInt(asOf);
    return { ...node, data: { record, isLater, onOpen } };
  });
  return (
    <Diagram
      label="What led to what: each record points to those it caused"
      nodes={shown}
      edges={edges}
      nodeTypes={nodeTypes}
    />
  );
}

const tones = { event: 'good', operation: 'busy', saga: 'planned', timer: 'quiet' } as const;

/** @param stream `<subsystem>.<kind>-<key>` */
function toneOf(stream: string): string {
  const kind = (stream.split('-')[0] ?? '').split('.')[1] ?? '';
  const found = Object.entries(tones).find(([name]) => kind.toLowerCase().endsWith(name));
  return found?.[1] ?? 'quiet';
}

function RecordBox({ data: { record, isLater, onOpen } }: NodeProps<RecordNode>) {
  const isBad = record.unreadable !== undefined || /failed/.test(record.type);
  return (
    <>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <button
        type="button"
        className={isLater ? 'node node-past nodrag' : 'node nodrag'}
        data-tone={isBad ? 'bad' : toneOf(record.stream)}
        onClick={() => onOpen(record)}
      >
        <strong>{record.type}</strong>
        <span className="dimmed">
          {record.stream.split('-')[0]} · {record.position}
        </span>
      </button>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </>
  );
}
