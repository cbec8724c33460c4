import { createHash } from 'node:crypto';

/** Lua that Redis runs as one step, with what `EVALSHA` calls it. */
export interface RedisScript {
  readonly source: string;
  readonly sha1: string;
}

function redisScript(source: string): RedisScript {
  return { source, sha1: createHash('sha1').update(source).digest('hex') };
}

// A client can send a command twice: it was carried out, and the connection broke before the answer. So each of these may run twice. And a command can
// arrive late, from the buffer of a socket or the queue of a client. What is not bound to a version has a time, on Redis's clock, after which it is void.

/** What stands in an entry is `1 <version> <JSON>`: here the version, empty where there is nothing. */
const CURRENT = "local current = string.sub(redis.call('GETRANGE', KEYS[1], 0, 37), 3)\n";
const NOW = "local time = redis.call('TIME')\nlocal now = time[1] * 1000 + math.floor(time[2] / 1000)\n";
/** ARGV: 1 the version that must stand there, empty for none, `*` for any or none; 2 the time after which it is void, or empty. */
const CONDITION = "if ARGV[1] ~= '*' and current ~= ARGV[1] then return 0 end\n";
const IN_TIME = "if ARGV[2] ~= '' and now > tonumber(ARGV[2]) then return -1 end\n";

/** Redis's clock: milliseconds since the epoch. */
export const READ_CLOCK: RedisScript = redisScript(`${NOW}return now`);

/** ARGV: 3 the new version, 4 the new value, 5 after how many milliseconds it expires, or empty. @returns 1; 0: another version; -1: too late. */
export const WRITE_ENTRY: RedisScript = redisScript(
  `${CURRENT}if current == ARGV[3] then return 1 end\n${CONDITION}${NOW}${IN_TIME}` +
    "if ARGV[5] == '' then redis.call('SET', KEYS[1], ARGV[4]) else redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5]) end\nreturn 1",
);

/** @returns 1; 0: nothing there, or another version; -1: too late. */
export const DELETE_ENTRY: RedisScript = redisScript(
  `${CURRENT}if current == '' then return 0 end\n${CONDITION}${NOW}${IN_TIME}return redis.call('DEL', KEYS[1])`,
);

/** KEYS: 2 where to. ARGV: 1 the damaged value, 2 after how many milliseconds it is removed there. */
export const SET_ASIDE: RedisScript = redisScript(
  "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\n" +
    "redis.call('RENAME', KEYS[1], KEYS[2])\nreturn redis.call('PEXPIRE', KEYS[2], ARGV[2])",
);

/** ARGV: 1 the owner, 2 the time to live in milliseconds. @returns 1: it is the owner's. */
export const ACQUIRE_LOCK: RedisScript = redisScript(
  "if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end\n" +
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end\nreturn 0",
);

/** ARGV: 1 the owner: nobody else's lock is taken away. */
export const RELEASE_LOCK: RedisScript = redisScript(
  "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end\nreturn 0",
);
