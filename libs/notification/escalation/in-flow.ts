import type { Metadata } from '#libs/kernel';
import type { Append } from '#libs/store/port';

/** The same append as part of another flow: one mail is about many notifications, and what it makes is theirs. */
export function inFlow(append: Append, correlationId: string, more: Metadata = {}): Append {
  const events = append.events.map((event) => {
    const cause = event.metadata?.$causationId;
    return { ...event, metadata: { $correlationId: correlationId, ...(cause && { $causationId: cause }), ...more } };
  });
  return { ...append, events };
}
