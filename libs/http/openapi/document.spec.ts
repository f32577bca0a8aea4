import { expect, test } from '@jest/globals';
import { named } from '#libs/validation';
import type { RouteNeeds } from '../access/index.js';
import { answer, objectOf, text } from './common.js';
import type { ApiDescription, RouteDescription } from './description.js';
import { openApiDocument } from './document.js';

const info = { title: 'Notes', version: 'v1', description: 'Notes.' };
const note = named('Note', objectOf<{ id: string }>({ id: text }));
const needs: RouteNeeds = new Map([
  ['GET /v1/notes/{id}', 'notifications:read'],
  ['POST /v1/notes', 'nothing'],
  ['GET /v1/notes', 'nothing'],
] as const);
const reading: RouteDescription = {
  id: 'getNote',
  summary: 'Read a note',
  answers: { 200: answer('The note.', note) },
  problems: ['not-found', 'unreadable-record', 'internal'],
};

function api(routes: ApiDescription['routes'], tag = 'Notes'): ApiDescription {
  return { tag, description: 'Notes.', routes };
}

test('a route has its path’s parameters, its answers and its problems, these by status', () => {
  const { paths, components } = openApiDocument(info, [api({ 'GET /v1/notes/{id}': reading })], needs);
  const operation = paths['/v1/notes/{id}']!['get']!;
  expect(operation.parameters).toEqual([
    { name: 'id', in: 'path', required: true, description: 'The id.', schema: { type: 'string' } },
  ]);
  expect(Object.keys(operation.responses)).toEqual(['200', '401', '403', '404', '500', 'default']);
  expect(operation.responses['500']!.description).toContain('/problems/unreadable-record');
  expect(operation.responses['500']!.description).toContain('/problems/internal');
  expect(operation.responses['200']!.content).toEqual({
    'application/json': { schema: { $ref: '#/components/schemas/Note' } },
  });
  expect(Object.keys(components.schemas).sort()).toEqual(['Note', 'Problem']);
});

test('a route says which scope a key needs for it, and what is answered without; a public one needs none', () => {
  const listing: RouteDescription = { ...reading, id: 'listNotes' };
  const { paths, components } = openApiDocument(
    info,
    [api({ 'GET /v1/notes/{id}': reading, 'GET /v1/notes': listing })],
    needs,
  );
  expect(paths['/v1/notes/{id}']!['get']!.security).toEqual([{ apiKey: ['notifications:read'] }]);
  expect(paths['/v1/notes']!['get']!.security).toEqual([]);
  expect(Object.keys(paths['/v1/notes']!['get']!.responses)).toEqual(['200', '404', '500', 'default']);
  expect(components.securitySchemes['apiKey']).toMatchObject({ type: 'http', scheme: 'bearer' });
});

test('a JSON body has the problems of every JSON body, a query those of every query', () => {
  const posting: RouteDescription = { ...reading, id: 'postNote', body: { schema: note }, problems: [] };
  const listing: RouteDescription = { ...reading, id: 'listNotes', query: {}, problems: [] };
  const { paths } = openApiDocument(info, [api({ 'POST /v1/notes': posting, 'GET /v1/notes': listing })], needs);
  expect(Object.keys(paths['/v1/notes']!['post']!.responses)).toEqual(['200', '400', '413', '415', '422', 'default']);
  expect(Object.keys(paths['/v1/notes']!['get']!.responses)).toEqual(['200', '422', 'default']);
});

test('one route, or one name, is not described twice', () => {
  const first = api({ 'GET /v1/notes/{id}': reading });
  expect(() =>
    openApiDocument(info, [first, api({ 'GET /v1/notes/{id}': { ...reading, id: 'other' } }, 'Others')], needs),
  ).toThrow('GET /v1/notes/{id} is described twice');
  expect(() => openApiDocument(info, [first, api({ 'GET /v1/others/{id}': reading }, 'Others')], needs)).toThrow(
    'two routes have the id getNote',
  );
});
