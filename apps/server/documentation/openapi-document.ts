import { openApiDocument, type OpenApiDocument, type RouteNeeds } from '#libs/http';
import { apis } from './apis.js';

const description = `JSON over HTTP. Every error is a problem document (RFC 9457) with a stable \`type\`. Unknown fields of a body and
unknown query parameters are refused with a 422. Times are RFC 3339 in UTC. Lists take \`limit\` and the \`nextCursor\` of
the page before as \`cursor\`. Where the server has API keys, a request needs one: \`Authorization: Bearer <key>\`.`;

/** The OpenAPI document of the whole server. @param needs what its routes need */
export function serverOpenApi(needs: RouteNeeds): OpenApiDocument {
  return openApiDocument({ title: 'Tidings', version: 'v1', description }, apis, needs);
}
