import { schemas, type ApiDescription } from '#libs/http';
import { named, nullable } from '#libs/validation';
import { ChangeMembersDto, PutGroupDto } from './group.dto.js';
import type { GroupView } from './groups.js';

const { answer, bodyOf, count, etagHeader, ifMatch, objectOf, pageOf, paging, positionHeader, text } = schemas;

const group = named(
  'Group',
  objectOf<GroupView>({ id: text, name: nullable(text), count: { ...count, description: 'Of members.' } }),
);
const deleted = objectOf<{ id: string; deleted: true }>({ id: text, deleted: { const: true } });
const member = objectOf<{ recipientId: string }>({ recipientId: text });

const headers = { ...etagHeader, ...positionHeader };
const id = {
  description: 'The id that you chose: 1 to 200 printable characters without slashes.',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
};

export const groupApi: ApiDescription = {
  tag: 'Groups',
  description: 'Recipients that are told together.',
  routes: {
    'PUT /v1/groups/{id}': {
      id: 'putGroup',
      summary: 'Create or rename a group',
      description: 'The members stay.',
      path: { id },
      headers: ifMatch,
      body: bodyOf(PutGroupDto, { name: 'On call' }),
      answers: {
        200: answer('It is changed, or was like that already.', group, headers),
        201: answer('It is created.', group, headers),
      },
      problems: ['conflict', 'precondition-failed'],
    },
    'GET /v1/groups/{id}': {
      id: 'getGroup',
      summary: 'Read a group',
      path: { id },
      answers: { 200: answer('The group.', group, headers) },
      problems: ['not-found'],
    },
    'DELETE /v1/groups/{id}': {
      id: 'deleteGroup',
      summary: 'Delete a group',
      path: { id },
      headers: ifMatch,
      answers: { 200: answer('It is deleted.', deleted, headers) },
      problems: ['not-found', 'conflict', 'precondition-failed', 'validation'],
    },
    'GET /v1/groups/{id}/members': {
      id: 'listGroupMembers',
      summary: 'List the members of a group',
      description:
        'In the order of their ids. With the ETag of the first page as If-Match, all pages are of one revision.',
      path: { id },
      query: paging,
      headers: ifMatch,
      answers: { 200: answer('A page of members.', pageOf(member), etagHeader) },
      problems: ['not-found', 'precondition-failed'],
    },
    'POST /v1/groups/{id}/members': {
      id: 'changeGroupMembers',
      summary: 'Add and remove members',
      description: 'Who is a member already is not added again, and who is none is not removed: that is no error.',
      path: { id },
      headers: ifMatch,
      body: bodyOf(ChangeMembersDto, { add: ['user-42', 'user-43'], remove: ['user-7'] }),
      answers: { 200: answer('The group.', group, headers) },
      problems: ['not-found', 'conflict', 'precondition-failed'],
    },
  },
};
