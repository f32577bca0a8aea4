import type { AnyHandler, Role } from '../topology/handler.js';

/** Handlers that one process runs together: one of these for each of the settings' roles. */
export const handlerGroups = ['bots', 'sagas', 'projectors'] as const;
export type HandlerGroup = (typeof handlerGroups)[number];

/** What one process does at a time: a group's handlers for one partition of the flows. */
export type Slot = `${HandlerGroup}.${number}`;

const groups: Readonly<Record<Exclude<Role, 'client'>, HandlerGroup>> = {
  bot: 'bots',
  reactor: 'bots',
  sagaHandler: 'sagas',
  projector: 'projectors',
};

/** Undefined for clients, which are nobody's to run. */
export function groupOf({ role }: Pick<AnyHandler, 'role'>): HandlerGroup | undefined {
  return role === 'client' ? undefined : groups[role];
}

export function slotOf(group: HandlerGroup, partition: number): Slot {
  return `${group}.${partition}`;
}

export function partsOf(slot: Slot): { readonly group: HandlerGroup; readonly partition: number } {
  const [group, partition] = slot.split('.');
  return { group: group as HandlerGroup, partition: Number(partition) };
}
