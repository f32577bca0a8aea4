/**
 * Entries, after the prefix: `owner:<owner>` is the id of the owner's key; `key:<id>` is a hash of `owner`, `key` (base64url)
 * and `replicated`, or, once the key is destroyed, of `destroyed` alone. Ids of destroyed keys are published on `destroyed`.
 *
 * Each call is one script and so takes effect as a whole, and in the order of the calls. The scripts name entries that are
 * not declared as keys: Redis Cluster does not take them.
 */

/** Whoever remembers keys listens here. */
export function destroyedChannel(prefix: string): string {
  return `${prefix}destroyed`;
}

/** ARGV: prefix, owner, id and key of a new one. Answers id, key and `1` where replicas are known to have it. */
export const keyForScript = `
local pointer = ARGV[1] .. 'owner:' .. ARGV[2]
local id = redis.call('GET', pointer)
if not id or redis.call('HEXISTS', ARGV[1] .. 'key:' .. id, 'key') == 0 then
  id = ARGV[3]
  redis.call('HSET', ARGV[1] .. 'key:' .. id, 'owner', ARGV[2], 'key', ARGV[4])
  redis.call('SET', pointer, id)
end
local found = redis.call('HMGET', ARGV[1] .. 'key:' .. id, 'key', 'replicated')
return {id, found[1], found[2]}`;

/**
 * ARGV: prefix, ids. Answers how many of the keys there were. Writes also where they are destroyed already, so that waiting
 * for replicas afterwards means something.
 */
export const destroyScript = `
local destroyed = 0
for index = 2, #ARGV do
  local name = ARGV[1] .. 'key:' .. ARGV[index]
  if redis.call('EXISTS', name) == 1 then
    local owner = redis.call('HGET', name, 'owner')
    if owner then
      local pointer = ARGV[1] .. 'owner:' .. owner
      if redis.call('GET', pointer) == ARGV[index] then redis.call('DEL', pointer) end
      redis.call('DEL', name)
      destroyed = destroyed + 1
    end
    redis.call('HSET', name, 'destroyed', '1')
    redis.call('PUBLISH', ARGV[1] .. 'destroyed', ARGV[index])
  end
end
return destroyed`;

/**
 * ARGV: prefix, ids. Destroys the keys, and notes of those that there are none of that they are destroyed. Writes in any
 * case.
 */
export const noteDestroyedScript = `
for index = 2, #ARGV do
  redis.call('HSETNX', ARGV[1] .. 'key:' .. ARGV[index], 'destroyed', '1')
end${destroyScript}`;

/**
 * ARGV: prefix, then of each key: id, owner, key. A key that stands there, or is destroyed, stays as it is, and so does the
 * one that the owner has. Writes for every key that stands there, so that waiting for replicas afterwards means something.
 */
export const addScript = `
for index = 2, #ARGV, 3 do
  local id, owner, key = ARGV[index], ARGV[index + 1], ARGV[index + 2]
  local name = ARGV[1] .. 'key:' .. id
  local pointer = ARGV[1] .. 'owner:' .. owner
  if redis.call('EXISTS', name) == 1 then
    local standing = redis.call('HGET', name, 'owner')
    if standing then redis.call('HSET', name, 'owner', standing) end
  else
    local other = redis.call('GET', pointer)
    if not other or redis.call('HEXISTS', ARGV[1] .. 'key:' .. other, 'key') == 0 then
      redis.call('HSET', name, 'owner', owner, 'key', key)
      redis.call('SET', pointer, id)
    end
  end
end`;

/** ARGV: prefix, id, what to note as `replicated`. Answers 0 where there is no such key. */
export const noteScript = `
local name = ARGV[1] .. 'key:' .. ARGV[2]
if redis.call('HEXISTS', name, 'key') == 0 then return 0 end
redis.call('HSET', name, 'replicated', ARGV[3])
return 1`;
