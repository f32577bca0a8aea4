import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';

const bucket = 'tidings';
/** Of the file that holds an object's bytes. */
const objectEnding = '._S3rver_object';
const pageSize = 100;

/** As s3rver knows them: it takes no others. */
const credentials = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' };

/** What becomes of a request in place of an answer: none, a broken connection, or a status. */
export type Trouble = 'silence' | 'reset' | number;

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** An S3 server on a free loopback port, with one bucket, in the process of the test. */
export class S3Double {
  /** Credentials, as variables of the environment. */
  static readonly credentials: Readonly<Record<string, string>> = credentials;

  /** `PUT /tidings/…` of every request so far. */
  readonly requests: string[] = [];
  /** Asked for every request; undefined lets it through. */
  trouble: (request: string) => Trouble | undefined = () => undefined;

  private constructor(
    private readonly server: S3rver,
    readonly port: number,
    /** Where the objects are, and other files beside them. */
    readonly folder: string,
  ) {}

  static async start(): Promise<S3Double> {
    const folder = await mkdtemp(join(tmpdir(), 'tidings-s3-'));
    const options = { address: '127.0.0.1', port: 0, silent: true, directory: folder };
    const server = new S3rver({ ...options, configureBuckets: [{ name: bucket }] });
    const { port } = await server.run();
    const double = new S3Double(server, port, folder);
    double.intercept();
    return double;
  }

  /** @param prefix of the objects, so that tests do not see each other's */
  url(prefix: string, name = bucket): string {
    return `s3://${name}/${prefix}?endpoint=http://127.0.0.1:${this.port}`;
  }

  /** Paths of the files that make up objects, uploads under way included. */
  async files(): Promise<string[]> {
    const entries = await readdir(this.folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  }

  /** Breaks all connections off. */
  cut(): void {
    this.server.httpServer.closeAllConnections();
  }

  async remove(): Promise<void> {
    this.cut();
    await this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** `AbortMultipartUpload`, which s3rver does not have. */
  private async abandon(upload: string, response: ServerResponse): Promise<void> {
    await rm(join(this.folder, bucket, '._S3rver_uploads', upload), { recursive: true, force: true });
    response.writeHead(204).end();
  }

  /** A page of a list; s3rver's need an algorithm that the OpenSSL of today does not have. */
  private async list(line: string, response: ServerResponse): Promise<void> {
    const asked = new URL(line.split(' ')[1]!, 'http://localhost').searchParams;
    const [prefix, after] = [asked.get('prefix')!, asked.get('continuation-token') ?? ''];
    const root = join(this.folder, bucket, '/');
    const keys = (await this.files())
      .filter((file) => file.startsWith(root + prefix) && file.endsWith(objectEnding))
      .map((file) => file.slice(root.length, -objectEnding.length))
      .filter((key) => key > after)
      .sort();
    const page = keys.slice(0, pageSize);
    const contents = page.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('');
    const next = keys.length > pageSize ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
    const body = `<IsTruncated>${keys.length > pageSize}</IsTruncated>${next}${contents}`;
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><ListBucketResult>${body}</ListBucketResult>`);
  }

  private intercept(): void {
    const { httpServer } = this.server;
    const [handle] = httpServer.listeners('request') as Handle[];
    httpServer.removeAllListeners('request');
    const deleteInTurn = inTurn(handle!);
    httpServer.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const line = `${request.method} ${request.url}`;
      this.requests.push(line);
      const trouble = this.trouble(line);
      const [, abandoned] = /^DELETE .*[?&]uploadId=(\w+)/.exec(line) ?? [];
      if (trouble === undefined && abandoned !== undefined) void this.abandon(abandoned, response);
      else if (trouble === undefined && line.includes('list-type=2')) void this.list(line, response);
      else if (trouble === undefined && request.method === 'DELETE') deleteInTurn(request, response);
      else if (trouble === undefined) handle!(request, response);
      else if (trouble === 'reset') request.socket.destroy();
      else if (trouble !== 'silence') response.writeHead(trouble).end();
    });
  }
}

/** One after the other: s3rver fails where two objects of a folder are deleted at the same time. */
function inTurn(handle: Handle): Handle {
  let last: Promise<unknown> = Promise.resolve();
  return (request, response) => {
    last = last.then(() => {
      if (response.destroyed) return;
      const closed = once(response, 'close');
      handle(request, response);
      return closed;
    });
  };
}
