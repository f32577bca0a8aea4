export { groupEvents } from './event/group.js';
export { loadGroup, loadMembers } from './event/load-members.js';
export { groupClient } from './http/group-client.js';
export { GroupModule } from './group.module.js';
export { groupApi } from './http/openapi.js';
