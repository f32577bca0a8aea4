import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { ProblemDocument } from '#libs/http';
import { CommandFailed, exitCodes, usageError } from './exit-codes.js';

/** How long an answer may take, in milliseconds; what the request itself waits comes on top. */
const patience = 30_000;
const uploadPatience = 600_000;

/** What the API has answered. */
export interface Answer<Body> {
  readonly body: Body;
  /** The body as it came. */
  readonly text: string;
}

interface Request {
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds that the server may wait before it answers. */
  readonly wait?: number;
}

/** The API of a server. Every method throws `CommandFailed` where there is no good answer. */
export class ApiClient {
  private readonly base: string;

  /** @param key API key, where the server asks for one */
  constructor(
    url: string,
    private readonly key: string | undefined,
  ) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (!/^https?:$/.test(parsed?.protocol ?? '') || parsed!.username !== '' || parsed!.search + parsed!.hash !== '')
      throw usageError('the URL of the server must look like http://127.0.0.1:3000');
    if (key !== undefined && !/^[!-~]+$/.test(key))
      throw usageError('the API key must be one word of ASCII characters');
    this.base = parsed!.href.replace(/\/+$/, '');
  }

  get<Body>(path: string, request: Request = {}): Promise<Answer<Body>> {
    return this.request('GET', path, request);
  }

  post<Body>(path: string, body?: unknown, request: Request = {}): Promise<Answer<Body>> {
    if (body === undefined) return this.request('POST', path, request);
    const headers = { ...request.headers, 'content-type': 'application/json' };
    return this.request('POST', path, { ...request, headers }, { body: JSON.stringify(body) });
  }

  delete<Body>(path: string): Promise<Answer<Body>> {
    return this.request('DELETE', path, {});
  }

  /** Streams a file. */
  upload<Body>(path: string, file: string): Promise<Answer<Body>> {
    const body = Readable.toWeb(createReadStream(file)) as ReadableStream;
    const headers = { 'content-type': 'application/octet-stream' };
    return this.request('POST', path, { headers, wait: uploadPatience }, { body, duplex: 'half' });
  }

  private async request<Body>(
    method: string,
    path: string,
    { query = {}, headers = {}, wait = 0 }: Request,
    init: RequestInit = {},
  ): Promise<Answer<Body>> {
    const search = new URLSearchParams(given(query)).toString();
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.base}${path}${search === '' ? '' : `?${search}`}`, {
        ...init,
        method,
        headers: given({ ...headers, authorization: this.key && `Bearer ${this.key}` }),
        signal: AbortSignal.timeout(Math.ceil(patience + wait)),
      });
      text = await response.text();
    } catch (error) {
      throw new CommandFailed(exitCodes.unreachable, `no answer from ${this.base}: ${reasonOf(error)}`);
    }
    const body = parsed(text);
    if (!response.ok) throw failureOf(response.status, body as ProblemDocument | undefined);
    if (body === undefined)
      throw new CommandFailed(exitCodes.serverFailed, `${this.base} does not answer as Tidings does`);
    return { body: body as Body, text };
  }
}

function given(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What is wrong with each field says more than the problem's detail, which tells the first one only. */
function failureOf(status: number, problem: Partial<ProblemDocument> | undefined): CommandFailed {
  const fields = problem?.errors
    ?.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
    .join('; ');
  const reason = fields || problem?.detail || problem?.title || 'no reason given';
  if (status === 401 || status === 403)
    return new CommandFailed(exitCodes.denied, `not allowed (${status}): ${reason}`);
  return status < 500
    ? new CommandFailed(exitCodes.refused, `refused (${status}): ${reason}`, status)
    : new CommandFailed(exitCodes.serverFailed, `the server has failed (${status}): ${reason}`);
}

function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return name === 'TimeoutError' ? 'it took too long' : (cause?.code ?? cause?.message ?? message);
}
