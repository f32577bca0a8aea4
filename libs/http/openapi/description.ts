import type { JsonSchema } from '#libs/validation';
import type { ProblemType } from '../problem.js';

/** What one subsystem offers over HTTP, for the OpenAPI document. */
export interface ApiDescription {
  /** Heading under which the routes stand. */
  readonly tag: string;
  readonly description: string;
  readonly routes: Readonly<Record<RouteName, RouteDescription>>;
}

/** Method and path as a client sees them: `POST /v1/notifications/{id}:cancel`. */
export type RouteName = `${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}`;

export interface RouteDescription {
  /** `operationId`: the name of the call in generated clients. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  /** By name. A parameter of the path that is left out here is any text. */
  readonly path?: Readonly<Record<string, ParameterDescription>>;
  /** By name. Every other parameter is refused, unless `anyQuery`. */
  readonly query?: Readonly<Record<string, ParameterDescription>>;
  /** Request headers, by name. */
  readonly headers?: Readonly<Record<string, ParameterDescription>>;
  readonly body?: BodyDescription;
  /** By status: the answers that are no problems. */
  readonly answers: Readonly<Record<number, AnswerDescription>>;
  /** What else it may answer. Those of every body and every query are added by themselves. */
  readonly problems?: readonly ProblemType[];
}

export interface ParameterDescription {
  readonly description: string;
  readonly schema: JsonSchema;
  /** Default false; a parameter of the path always is. */
  readonly required?: boolean;
}

export interface BodyDescription {
  /** Left out: any bytes. */
  readonly schema?: JsonSchema;
  /** Default `application/json`. */
  readonly mediaType?: string;
  /** Media types of the same in another form: any bytes. */
  readonly orMediaTypes?: readonly string[];
  readonly example?: unknown;
}

export interface AnswerDescription {
  readonly description: string;
  /** By media type; left out: no body. */
  readonly content?: Readonly<Record<string, JsonSchema>>;
  readonly headers?: Readonly<Record<string, HeaderDescription>>;
}

export interface HeaderDescription extends ParameterDescription {
  /** True where every such answer has it. */
  readonly required: boolean;
}
