import { scopeMeanings } from '#libs/access';
import { Components, type JsonSchema } from '#libs/validation';
import { problemMediaType, problemTypes, type ProblemType } from '../problem.js';
import type { Need, RouteNeeds } from '../access/index.js';
import { problemSchema } from './common.js';
import type {
  AnswerDescription,
  ApiDescription,
  BodyDescription,
  ParameterDescription,
  RouteDescription,
} from './description.js';

/** An OpenAPI 3.1 document: the parts of it that readers here use. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  /** By path, then by method in lower case. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
}

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  /** The scope that a key needs; none: it is for everybody. */
  readonly security: readonly { readonly apiKey: readonly string[] }[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  /** By status, or `default`. */
  readonly responses: Readonly<Record<string, Response>>;
}

export interface Parameter extends Required<ParameterDescription> {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
}

export interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Required<ParameterDescription>>>;
  readonly content?: Content;
}

const apiKeyScheme = {
  type: 'http',
  scheme: 'bearer',
  description:
    'An API key, where the server has keys. What it may do is told by its scopes; `*` is every one. ' +
    Object.entries(scopeMeanings)
      .map(([scope, meaning]) => `\`${scope}\`: ${meaning}`)
      .join('; '),
};

type Content = Readonly<Record<string, { readonly schema?: JsonSchema; readonly example?: unknown }>>;

/**
 * @param needs what the routes of the server need
 * @throws TypeError where two routes, two operations or two schemas have one name
 */
export function openApiDocument(
  info: OpenApiDocument['info'],
  apis: readonly ApiDescription[],
  needs: RouteNeeds,
): OpenApiDocument {
  const components = new Components();
  const paths: Record<string, Record<string, unknown>> = {};
  const ids = new Set<string>();
  for (const { tag, routes } of apis) {
    for (const [name, route] of Object.entries(routes)) {
      const [method, path] = name.split(' ') as [string, string];
      const operations = (paths[path] ??= {});
      if (operations[method.toLowerCase()] !== undefined) throw new TypeError(`${name} is described twice`);
      if (ids.has(route.id)) throw new TypeError(`two routes have the id ${route.id}`);
      ids.add(route.id);
      operations[method.toLowerCase()] = components.refer(operationOf(tag, path, route, needs.get(name)));
    }
  }
  return {
    openapi: '3.1.1',
    info,
    tags: apis.map(({ tag: name, description }) => ({ name, description })),
    paths: paths as OpenApiDocument['paths'],
    components: {
      schemas: components.schemas as Record<string, JsonSchema>,
      securitySchemes: { apiKey: apiKeyScheme },
    },
  };
}

function operationOf(tag: string, path: string, route: RouteDescription, need: Need | undefined): Operation {
  const { id, summary, description, body, answers } = route;
  const parameters = parametersOf(path, route);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    security: need === 'nothing' ? [] : [{ apiKey: need === undefined ? [] : [need] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: { required: true, content: contentOf(body) } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, given]) => [status, responseOf(given)])),
      ...problemResponses(problemsOf(route, need)),
      default: problemResponse('Any other problem.'),
    },
  };
}

function parametersOf(path: string, { path: known = {}, query = {}, headers = {} }: RouteDescription): Parameter[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  return [
    ...inPath.map((name) =>
      parameter('path', name, {
        description: `The ${name}.`,
        schema: { type: 'string' },
        ...known[name],
        required: true,
      }),
    ),
    ...Object.entries(query).map(([name, given]) => parameter('query', name, given)),
    ...Object.entries(headers).map(([name, given]) => parameter('header', name, given)),
  ];
}

function parameter(place: Parameter['in'], name: string, given: ParameterDescription): Parameter {
  return { name, in: place, required: false, ...given };
}

function contentOf({ schema, mediaType = 'application/json', example, orMediaTypes = [] }: BodyDescription): Content {
  return {
    [mediaType]: { ...(schema && { schema }), ...(example !== undefined && { example }) },
    ...Object.fromEntries(orMediaTypes.map((other) => [other, {}])),
  };
}

function responseOf({ description, headers = {}, content }: AnswerDescription): Response {
  return {
    description,
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(content && {
      content: Object.fromEntries(Object.entries(content).map(([mediaType, schema]) => [mediaType, { schema }])),
    }),
  };
}

function problemsOf(
  { body, query, problems = [] }: RouteDescription,
  need: Need | undefined,
): ReadonlySet<ProblemType> {
  return new Set<ProblemType>([
    ...(need === 'nothing' ? [] : (['unauthenticated', 'forbidden'] as const)),
    ...problems,
    ...(body?.schema ? (['malformed-json', 'payload-too-large', 'unsupported-media-type', 'validation'] as const) : []),
    ...(query ? (['validation'] as const) : []),
  ]);
}

/** By status, with the types that it stands for. */
function problemResponses(problems: ReadonlySet<ProblemType>): Record<string, Response> {
  const byStatus: Record<string, ProblemType[]> = {};
  for (const problem of problems) (byStatus[problemTypes[problem].status] ??= []).push(problem);
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, types]) => {
      const told = types.map((type) => `\`/problems/${type}\`: ${problemTypes[type].title}.`);
      return [status, problemResponse(told.join(' '))];
    }),
  );
}

function problemResponse(description: string): Response {
  return { description, content: { [problemMediaType]: { schema: problemSchema } } };
}
