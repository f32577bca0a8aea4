import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { OpenApiDocument, Operation } from '#libs/http';
import { isRfc3339, type JsonSchema } from '#libs/validation';

/** One request with its answer. */
export interface Exchange {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  /** Undefined where there was none, or it was no JSON. */
  readonly requestBody: unknown;
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON, else its text. */
  readonly body: unknown;
}

/** Checks requests and answers against an OpenAPI document. */
export class Conformance {
  private readonly ajv = new Ajv2020({
    strictTypes: false,
    formats: { uuid: /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i, 'date-time': isRfc3339 },
  });

  private readonly compiled = new Map<JsonSchema, ValidateFunction>();

  constructor(private readonly document: OpenApiDocument) {
    // Where references lead.
    this.ajv.addKeyword('components');
  }

  /** The operation that a request is for. @throws where the document has none */
  operationOf(method: string, path: string): Operation {
    const found = this.find(method, path);
    if (found === undefined) throw new Error(`${method} ${path} is not in the document`);
    return found;
  }

  /** What is wrong with an exchange, line by line. */
  problems({ method, path, requestHeaders, requestBody, status, headers, body }: Exchange): string[] {
    const found = this.find(method, path);
    if (found === undefined) return [`${method} ${path} is not in the document`];
    const { parameters = [], requestBody: described, responses } = found;
    const isAccepted = status < 400;
    const problems: string[] = [];
    if (isAccepted) {
      const given = [...new URL(path, 'http://localhost').searchParams.keys()];
      for (const name of given) {
        if (!parameters.some((one) => one.in === 'query' && one.name === name)) problems.push(`unknown query ${name}`);
      }
      for (const name of Object.keys(requestHeaders).filter((one) => !['accept', 'content-type'].includes(one))) {
        if (!parameters.some((one) => one.in === 'header' && one.name.toLowerCase() === name))
          problems.push(`unknown request header ${name}`);
      }
      if (requestBody !== undefined && described === undefined) problems.push('no request body is described');
      const schema = described?.content['application/json']?.schema;
      if (requestBody !== undefined && schema !== undefined) problems.push(...this.check(schema, requestBody));
    }
    const key = String(status) in responses ? String(status) : 'default';
    if (isAccepted && key === 'default') problems.push(`status ${status} is not described`);
    const response = responses[key]!;
    for (const [name, { required }] of Object.entries(response.headers ?? {})) {
      if (required && !headers.has(name)) problems.push(`header ${name} is missing`);
    }
    const mediaType = (headers.get('content-type') ?? '').split(';')[0]!;
    const content = response.content?.[mediaType];
    if (content === undefined) return [...problems, `${mediaType} of ${status} is not described`];
    if (content.schema === undefined) return problems;
    return [...problems, ...this.check(content.schema, body)];
  }

  /** What is wrong with a value for a schema of the document. */
  check(schema: JsonSchema, value: unknown): string[] {
    let validate = this.compiled.get(schema);
    if (validate === undefined) {
      validate = this.ajv.compile({ allOf: [schema], components: this.document.components });
      this.compiled.set(schema, validate);
    }
    validate(value);
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  /** What is wrong with a schema itself. */
  schemaProblems(schema: object): string[] {
    return this.ajv.validateSchema(schema) === true ? [] : [this.ajv.errorsText()];
  }

  /** A template that names more of the path goes first: `/v1/parked:redrive` is no `/v1/{name}`. */
  private find(method: string, path: string): Operation | undefined {
    const name = method.toLowerCase();
    const asked = path.split('?')[0]!;
    const matching = Object.entries(this.document.paths)
      .filter(([template, operations]) => name in operations && patternOf(template).test(asked))
      .sort(([one], [other]) => one.split('{').length - other.split('{').length);
    return matching[0]?.[1][name];
  }
}

function patternOf(template: string): RegExp {
  const literals = template.split(/\{\w+\}/).map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${literals.join('[^/]+')}$`);
}
