import type { AnyHandler, Role } from '../topology/handler.js';
import type { HandlerGroup } from './slot.js';

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
