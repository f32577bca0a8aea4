/** Handlers that one process runs together: one of these for each of the settings' roles. */
export const handlerGroups = ['bots', 'sagas', 'projectors'] as const;
export type HandlerGroup = (typeof handlerGroups)[number];

/** What one process does at a time: a group's handlers for one partition of the flows. */
export type Slot = `${HandlerGroup}.${number}`;

export function slotOf(group: HandlerGroup, partition: number): Slot {
  return `${group}.${partition}`;
}

export function partsOf(slot: Slot): { readonly group: HandlerGroup; readonly partition: number } {
  const [group, partition] = slot.split('.');
  return { group: group as HandlerGroup, partition: Number(partition) };
}
