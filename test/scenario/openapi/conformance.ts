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

/** Every request may have them. */
const plainHeaders: ReadonlySet<string> = new Set(['accept', 'content-type']);

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

  /** What is wrong with an exchange, line by line. What the server refused need not be described. */
  problems(exchange: Exchange): string[] {
    const operation = this.find(exchange.method, exchange.path);
    if (operation === undefined) return [`${exchange.method} ${exchange.path} is not in the document`];
    return [
      ...(exchange.status < 400 ? this.requestProblems(exchange, operation) : []),
      ...this.answerProblems(exchange, operation),
    ];
  }

  private requestProblems(exchange: Exchange, { parameters = [], requestBody }: Operation): string[] {
    const query = new URL(exchange.path, 'http://localhost').searchParams;
    const headers = Object.entries(exchange.requestHeaders).filter(([name]) => !plainHeaders.has(name));
    const given = [
      ...[...query].map(([name, value]) => ['query', name, value] as const),
      ...headers.map(([name, value]) => ['header', name, value] as const),
    ];
    const problems = given.flatMap(([place, name, value]) => {
      const known = parameters.find((one) => one.in === place && one.name.toLowerCase() === name.toLowerCase());
      if (known === undefined) return [`the ${place} parameter ${name} is not described`];
      return this.check(known.schema, valueOf(value, known.schema));
    });
    for (const { in: place, name, required } of parameters) {
      if (required && place === 'query' && !query.has(name)) problems.push(`${name} is described as required`);
    }
    if (exchange.requestBody === undefined) return problems;
    const body = requestBody?.content['application/json']?.schema;
    return [...problems, ...(body ? this.check(body, exchange.requestBody) : ['no body is described'])];
  }

  private answerProblems({ status, headers, body }: Exchange, { responses }: Operation): string[] {
    const own = responses[status];
    if (own === undefined && status < 400) return [`status ${status} is not described`];
    const response = own ?? responses['default']!;
    const problems = Object.entries(response.headers ?? {}).flatMap(([name, { required, schema }]) => {
      const value = headers.get(name);
      if (value === null) return required ? [`the header ${name} is missing`] : [];
      return this.check(schema, value);
    });
    const mediaType = (headers.get('content-type') ?? '').split(';')[0]!;
    const content = response.content?.[mediaType];
    if (content === undefined) return [...problems, `${mediaType} of ${status} is not described`];
    return content.schema === undefined ? problems : [...problems, ...this.check(content.schema, body)];
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

/** A parameter's text as the value that its schema is for. */
function valueOf(text: string, { type }: JsonSchema): unknown {
  if (type === 'array') return [text];
  return type === 'integer' || type === 'number' ? Number(text) : text;
}

function patternOf(template: string): RegExp {
  const literals = template.split(/\{\w+\}/).map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${literals.join('[^/]+')}$`);
}
