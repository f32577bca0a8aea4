import { deriveId } from '#libs/kernel';
import type { WireRecord } from './messages.js';

const encoder = new TextEncoder();

/**
 * The link to an event that stands in a stream of links. Nothing is stored: the link's revision is the position of its
 * event, so that a client can go on after it, and revisions have gaps.
 */
export function linkTo(event: WireRecord, stream: string): WireRecord {
  return {
    id: deriveId(event.id, stream, event.position),
    type: '$>',
    stream,
    revision: event.position,
    position: event.position,
    created: event.created,
    isJson: false,
    data: encoder.encode(`${event.revision}@${event.stream}`),
    metadata: encoder.encode(JSON.stringify({ $causedBy: event.id })),
  };
}
