import { randomBytes } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from '@jest/globals';
import { StoreUnavailable, StoreUnusable } from '#libs/store/port';
import { describeBlobStoreContract } from '#libs/testing/blob';
import { S3Double } from '#libs/testing/s3';
import { BlobMissing, openS3Blobs, parseS3Url, SealedBlobs, type S3BlobStore } from '../index.js';
import { MemoryKeyStore, Vault } from '#libs/vault';
import { MalformedS3Url, nameOfS3 } from './location.js';

const key = 'Kq3_x-9ZbTn0aWmE';
const megabyte = 1_048_576;

let s3: S3Double;
const opened: S3BlobStore[] = [];
let prefixes = 0;

beforeAll(async () => {
  Object.assign(process.env, S3Double.credentials);
  s3 = await S3Double.start();
});
afterEach(() => {
  s3.trouble = () => undefined;
  for (const store of opened.splice(0)) store.close();
});
afterAll(async () => {
  for (const name of Object.keys(S3Double.credentials)) delete process.env[name];
  await s3?.remove();
});

async function open(url: string, answerWithin = 5_000): Promise<S3BlobStore> {
  const store = await openS3Blobs({ location: parseS3Url(url), answerWithin });
  opened.push(store);
  return store;
}

/** One in which nothing is stored yet. */
function openEmpty(answerWithin?: number): Promise<S3BlobStore> {
  prefixes += 1;
  return open(s3.url(`test-${prefixes}`), answerWithin);
}

describeBlobStoreContract('S3BlobStore', async () => {
  prefixes += 1;
  const url = s3.url(`test-${prefixes}/blobs`);
  return { store: await open(url), reopen: () => open(url), files: () => s3.files() };
});

describe('S3BlobStore', () => {
  it('holds no more of an upload in memory than some parts', async () => {
    const store = await openEmpty();
    const chunk = randomBytes(megabyte);
    let ahead = 0;
    let most = 0;
    const uploaded = () => s3.requests.filter((line) => /^PUT .*partNumber=/.test(line)).length;
    const before = uploaded();
    async function* content(): AsyncGenerator<Buffer> {
      for (let given = 1; given <= 60; given += 1) {
        ahead = given - 5 * (uploaded() - before);
        most = Math.max(most, ahead);
        yield chunk;
      }
    }
    await store.put(key, 'large', content());
    expect(uploaded() - before).toBe(12);
    expect(most).toBeLessThanOrEqual(11);
  });

  it('leaves no half an upload where the service fails in its middle', async () => {
    const store = await openEmpty();
    const before = await s3.files();
    s3.trouble = (line) => (/^PUT .*partNumber=3/.test(line) ? 500 : undefined);
    let isEnded = false;
    async function* content(): AsyncGenerator<Buffer> {
      try {
        for (;;) yield randomBytes(megabyte);
      } finally {
        isEnded = true;
      }
    }
    await expect(store.put(key, 'a', content())).rejects.toThrow(StoreUnavailable);
    expect(isEnded).toBe(true);
    expect(s3.requests.some((line) => /^DELETE .*uploadId=/.test(line))).toBe(true);
    expect(await s3.files()).toEqual(before);
    expect(await store.get(key, 'a')).toBeUndefined();
  });

  it('deletes more blobs than one list names', async () => {
    const store = await openEmpty();
    await store.put(key, 'a', Readable.from([Buffer.from('hello')]));
    const files = (await s3.files()).filter((file) => file.includes(`/test-${prefixes}/`));
    for (let number = 1; number < 250; number += 1) {
      for (const file of files) await copyFile(file, file.replace('/a.', `/a-${number}.`));
    }
    expect(await store.deleteAll(key)).toBe(250);
    expect(await store.deleteAll(key)).toBe(0);
  });

  it('tries again what failed once', async () => {
    const store = await openEmpty();
    let failures = 1;
    s3.trouble = () => (failures-- > 0 ? 'reset' : undefined);
    await store.put(key, 'a', Readable.from([Buffer.from('hello')]));
    failures = 1;
    expect(String(await buffer((await store.get(key, 'a'))!))).toBe('hello');
  });

  it.each(['silence', 'reset', 500, 503, 403] as const)('is away where all it gets is %s', async (trouble) => {
    const store = await openEmpty(300);
    await store.put(key, 'a', Readable.from([Buffer.from('hello')]));
    s3.trouble = () => trouble;
    const calls = [
      store.put(key, 'b', Readable.from([Buffer.from('hello')])),
      store.get(key, 'a'),
      store.delete(key, 'a'),
      store.deleteAll(key),
      store.check(),
    ];
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'store-unavailable' } });
      expect(String((call as PromiseRejectedResult).reason)).toContain(
        `blobs in s3://tidings/test-${prefixes}/ at 127`,
      );
      expect(String((call as PromiseRejectedResult).reason)).not.toMatch(/S3RVER|Kq3_x/);
    }
    s3.trouble = () => undefined;
    expect(String(await buffer((await store.get(key, 'a'))!))).toBe('hello');
  });

  it('is away where it breaks off in the middle of a blob, and not where it is read slowly', async () => {
    const store = await openEmpty(600);
    const content = randomBytes(20 * megabyte);
    await store.put(key, 'a', Readable.from([content]));
    const broken = (await store.get(key, 'a'))!;
    const pieces = broken[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    await pieces.next();
    s3.cut();
    await expect(
      (async () => {
        while (!(await pieces.next()).done);
      })(),
    ).rejects.toThrow(StoreUnavailable);

    const slow = (await store.get(key, 'a'))!;
    const first = await new Promise<Buffer>((resolve) => slow.once('readable', () => resolve(slow.read() as Buffer)));
    await new Promise((resolve) => setTimeout(resolve, 700));
    const rest = await buffer(slow);
    expect(Buffer.concat([first, rest]).equals(content)).toBe(true);
  });

  it('is refused at the start where the bucket cannot be used, and not where nobody answers', async () => {
    const absent = s3.url('', 'no-such-bucket');
    await expect(open(absent)).rejects.toThrow(StoreUnusable);
    await expect(open(absent)).rejects.toThrow(/no-such-bucket\/ at 127\.0\.0\.1:\d+: there is no such bucket/);
    s3.trouble = () => 403;
    await expect(openEmpty()).rejects.toThrow(/credentials are not allowed/);
    s3.trouble = () => 'reset';
    const store = await openEmpty();
    await expect(store.check()).rejects.toThrow(StoreUnavailable);
  });

  it('stores nothing in clear, and nothing that an erasure does not reach', async () => {
    const store = await openEmpty();
    const vault = new Vault(new MemoryKeyStore());
    const blobs = new SealedBlobs(vault, store);
    const ref = await blobs.put('recipient/alice', 'a-1', Buffer.from('the canary sings'));
    expect(String(await blobs.get(ref))).toBe('the canary sings');
    expect((await buffer((await store.get(ref.keyId, 'a-1'))!)).includes('canary')).toBe(false);
    expect(await blobs.deleteAll(ref.keyId)).toBe(1);
    await expect(blobs.stream(ref).next()).rejects.toThrow(BlobMissing);
  });
});

describe('the URL of the blobs', () => {
  test.each([
    ['s3://bucket', { bucket: 'bucket', prefix: '' }, 's3://bucket/'],
    ['s3://a.b-c/x/y/?region=eu-west-1', { bucket: 'a.b-c', prefix: 'x/y/', region: 'eu-west-1' }, 's3://a.b-c/x/y/'],
    [
      's3://bucket/?endpoint=https://s3.example.com:9000',
      { bucket: 'bucket', prefix: '', endpoint: 'https://s3.example.com:9000/' },
      's3://bucket/ at s3.example.com:9000',
    ],
  ])('%s', (url, location, name) => {
    expect(parseS3Url(url)).toEqual(location);
    expect(nameOfS3(parseS3Url(url))).toBe(name);
  });

  test.each([
    ['https://bucket', 'must be like s3://'],
    ['s3://', 'must be like s3://'],
    ['s3://Bucket', 'must be like s3://'],
    ['s3://canary:canary@bucket', 'no credentials'],
    ['s3://bucket/../canary', 'a prefix of letters'],
    ['s3://bucket/ca%20nary', 'a prefix of letters'],
    ['s3://bucket?key=canary', 'no options but'],
    ['s3://bucket?region=Can%20ary', 'must name a region'],
    ['s3://bucket?endpoint=canary', 'an endpoint like'],
    ['s3://bucket?endpoint=ftp://canary', 'an endpoint like'],
    ['s3://bucket?endpoint=https://canary:secret@host', 'an endpoint like'],
  ])('%s is refused', (url, problem) => {
    expect(() => parseS3Url(url)).toThrow(MalformedS3Url);
    expect(() => parseS3Url(url)).toThrow(problem);
    expect(() => parseS3Url(url)).not.toThrow(/canary/);
  });
});
