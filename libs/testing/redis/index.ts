export { Daemon, freePort, redisIsMissing } from './programs.js';
export { RedisServer } from './redis-server.js';
export { RedisSentinels } from './redis-sentinels.js';
