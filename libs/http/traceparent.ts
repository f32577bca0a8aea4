const shape = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-[\x21-\x7e]*)?$/;

/** A `traceparent` header as it is, where it is well-formed as W3C Trace Context has it; else undefined. */
export function traceparentOf(header: unknown): string | undefined {
  const match = typeof header === 'string' && header.length <= 512 ? shape.exec(header) : null;
  if (match === null) return undefined;
  const [, version, traceId, parentId, more] = match;
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  return /[^0]/.test(traceId!) && /[^0]/.test(parentId!) ? match[0] : undefined;
}

/** The trace that a `traceparent` names; undefined where it is none. */
export function traceIdOf(header: unknown): string | undefined {
  return traceparentOf(header)?.split('-')[1];
}
