import { describe, expect, test } from '@jest/globals';
import { MalformedRedisUrl, nameOfRedis, parseRedisUrl } from './connection.js';

const plain = { tls: false, database: 0, prefix: 'tidings:', replicas: 0 };

describe('the URL of the keys', () => {
  test.each([
    ['redis://localhost', { ...plain, hosts: [{ host: 'localhost', port: 6379 }] }],
    ['redis://10.0.0.7:7000/3', { ...plain, hosts: [{ host: '10.0.0.7', port: 7000 }], database: 3 }],
    ['rediss://[::1]:7000/', { ...plain, hosts: [{ host: '::1', port: 7000 }], tls: true }],
    [
      'redis://:p%40ss@keys/?prefix=shop.&replicas=2',
      { ...plain, hosts: [{ host: 'keys', port: 6379 }], password: 'p@ss', prefix: 'shop.', replicas: 2 },
    ],
    [
      'rediss+sentinel://me:secret@h1,h2:26380/1?name=keys&sentinelUser=s&sentinelPassword=t',
      {
        hosts: [
          { host: 'h1', port: 26379 },
          { host: 'h2', port: 26380 },
        ],
        sentinel: { name: 'keys', username: 's', password: 't' },
        tls: true,
        username: 'me',
        password: 'secret',
        database: 1,
        prefix: 'tidings:',
        replicas: 1,
      },
    ],
  ])('%s', (url, connection) => {
    expect(parseRedisUrl(url)).toEqual(connection);
  });

  test.each([
    ['http://localhost', 'must be like redis://'],
    ['redis://', 'must be like redis://'],
    ['redis://canary@host', 'must have user:password'],
    ['redis://canary:@host', 'must have user:password'],
    ['redis://u:%canary@host', 'percent-encoded'],
    ['redis://h1,h2', 'several hosts are sentinels'],
    ['redis://host:0', 'must be like redis://'],
    ['redis://host:65536', 'must be like redis://'],
    ['redis://host/canary', 'must be like redis://'],
    ['redis://host?name=canary', 'no options but prefix, replicas'],
    ['redis://host?prefix=a%20canary', 'a prefix of 1 to 64'],
    ['redis://host?prefix=', 'a prefix of 1 to 64'],
    ['redis://host?replicas=10', 'from 0 to 9'],
    ['redis+sentinel://h1', 'the name of the master'],
    ['redis+sentinel://h1?name=m&sentinelUser=canary', 'a sentinelPassword'],
  ])('%s is refused', (url, problem) => {
    expect(() => parseRedisUrl(url)).toThrow(MalformedRedisUrl);
    expect(() => parseRedisUrl(url)).toThrow(problem);
    expect(() => parseRedisUrl(url)).not.toThrow(/canary/);
  });

  test('is told to people without user and password', () => {
    const urls = ['redis://me:canary@[::1]/0', 'redis+sentinel://me:canary@h1,h2/0?name=keys&sentinelPassword=canary'];
    expect(urls.map((url) => nameOfRedis(parseRedisUrl(url)))).toEqual([
      '[::1]:6379',
      'keys of the sentinels h1:26379,h2:26379',
    ]);
  });
});
