import type { EventItem } from '../../support/index.js';

/** Something to wait for, until the test lets go. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

const endings = ['sent', 'partially-sent', 'failed', 'opted-out', 'expired'];

/** Whether a record of this type ends a notification. */
export function isTerminalType(type: string): boolean {
  return endings.some((ending) => type === `notification.${ending}.v1`);
}

/** The record of a type of which there has to be exactly one. */
export function only(events: readonly EventItem[], type: string): EventItem {
  const found = events.filter((event) => event.type === type);
  if (found.length !== 1) throw new Error(`${found.length} records of the type ${type}`);
  return found[0]!;
}
