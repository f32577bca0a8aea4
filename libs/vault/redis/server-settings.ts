import type { Redis } from 'ioredis';

/** Why the server would lose keys; undefined where it would not. */
export async function faultOf(redis: Redis): Promise<string | undefined> {
  const [persistence, memory] = await Promise.all([redis.info('persistence'), redis.info('memory')]);
  if (field(persistence, 'aof_enabled') !== '1') {
    return 'it has no append-only file, so a restart loses them (set appendonly yes)';
  }
  const policy = field(memory, 'maxmemory_policy') ?? '';
  if (field(memory, 'maxmemory') !== '0' && policy.startsWith('allkeys')) {
    return `it removes entries when its memory is full (maxmemory-policy is ${policy}; set noeviction)`;
  }
  return undefined;
}

/** What may be lost all the same; undefined where nothing is, or the server does not tell. */
export async function doubtsAbout(redis: Redis): Promise<string | undefined> {
  const persistence = await redis.info('persistence');
  if (field(persistence, 'aof_last_write_status') === 'err') return 'its append-only file could not be written';
  const [, fsync] = await redis.config('GET', 'appendfsync').catch(() => []);
  if (fsync === undefined || fsync === 'always') return undefined;
  return `a crash of the server can lose the keys of its last moments (appendfsync is ${fsync}; set always)`;
}

function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}
