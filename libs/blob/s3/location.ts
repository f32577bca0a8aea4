/** Where blobs are kept in an S3 API. */
export interface S3Location {
  readonly bucket: string;
  /** What the names of all objects begin with; empty, or with a slash at its end. */
  readonly prefix: string;
  /** Of another service than Amazon's; buckets are then part of the path. */
  readonly endpoint?: string;
  readonly region?: string;
}

/** What is wrong with a URL; never holds any of it. */
export class MalformedS3Url extends Error {}

const shape = 'must be like s3://bucket/prefix?region=eu-central-1 or s3://bucket?endpoint=https://s3.example.com';

/** Reads an `s3://` URL. @throws MalformedS3Url */
export function parseS3Url(text: string): S3Location {
  const match = /^s3:\/\/(?:([^@/?#]*)@)?([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(
    text.trim(),
  );
  if (match === null) throw new MalformedS3Url(shape);
  const [, login, bucket, path, query] = match;
  if (login !== undefined) {
    throw new MalformedS3Url('must have no credentials: they come from AWS_ACCESS_KEY_ID and the other usual places');
  }
  const given = new Map(new URLSearchParams(query ?? ''));
  for (const name of given.keys()) {
    if (name !== 'endpoint' && name !== 'region') throw new MalformedS3Url('must have no options but endpoint, region');
  }
  const endpoint = given.get('endpoint');
  const region = given.get('region');
  if (region !== undefined && !/^[a-z0-9-]{1,64}$/.test(region)) throw new MalformedS3Url('must name a region');
  return {
    bucket: bucket!,
    prefix: prefixOf(path ?? ''),
    ...(endpoint !== undefined && { endpoint: endpointOf(endpoint) }),
    ...(region !== undefined && { region }),
  };
}

/** For people. */
export function nameOfS3({ bucket, prefix, endpoint }: S3Location): string {
  return `s3://${bucket}/${prefix}${endpoint === undefined ? '' : ` at ${new URL(endpoint).host}`}`;
}

function prefixOf(path: string): string {
  const folders = path.split('/').filter((folder) => folder !== '');
  if (!folders.every((folder) => /^[\w.-]+$/.test(folder) && !/^\.+$/.test(folder))) {
    throw new MalformedS3Url('must have a prefix of letters, digits and . _ - and /');
  }
  return folders.map((folder) => `${folder}/`).join('');
}

function endpointOf(text: string): string {
  const problem = 'must have an endpoint like https://s3.example.com, without credentials';
  if (!URL.canParse(text)) throw new MalformedS3Url(problem);
  const { protocol, username, password, search, hash, href } = new URL(text);
  const hasMore = [username, password, search, hash].some((part) => part !== '');
  if ((protocol !== 'https:' && protocol !== 'http:') || hasMore) throw new MalformedS3Url(problem);
  return href;
}
