"""The shared gate's four steps, as scripts that Redis runs in one piece."""

# KEYS pause, cap, flight, flight of the API, minute bucket, hour bucket
# ARGV ticket, lease ms, room, room of calls that are not urgent, urgent, then rate (per ms), burst, start of each bucket
# → {"in", 0, calls left in each bucket} | {"paused", ms} | {"crowded", ms} | {"spent", ms}
ENTER = """
local pause = redis.call('PTTL', KEYS[1])
if pause > 0 then return {'paused', pause} end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
if redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[3]) then return {'crowded', 20} end
if ARGV[5] == '0' then
  local cap = tonumber(redis.call('GET', KEYS[2]) or ARGV[4])
  if redis.call('ZCARD', KEYS[4]) >= cap then return {'crowded', 50} end
end
local left = {}
for i = 1, 2 do
  local rate, burst, start = tonumber(ARGV[3 + 3 * i]), tonumber(ARGV[4 + 3 * i]), tonumber(ARGV[5 + 3 * i])
  local held = redis.call('HMGET', KEYS[4 + i], 'tokens', 'at')
  local tokens = start
  if held[1] then tokens = math.min(burst, tonumber(held[1]) + math.max(0, now - tonumber(held[2])) * rate) end
  if tokens < 1 then return {'spent', math.ceil((1 - tokens) / rate)} end
  left[i] = tokens - 1
end
for i = 1, 2 do
  redis.call('HSET', KEYS[4 + i], 'tokens', tostring(left[i]), 'at', now)
  redis.call('PEXPIRE', KEYS[4 + i], 7200000)
end
for i = 3, 4 do
  redis.call('ZADD', KEYS[i], now + ARGV[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[i], ARGV[2])
end
return {'in', 0, left[1], left[2]}
"""

# KEYS flight, flight of the API, prefix of the counts by minute; ARGV ticket, API, code (0 = success)
LEAVE = """
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
local counts = KEYS[3] .. ':' .. math.floor(redis.call('TIME')[1] / 60)
redis.call('HINCRBY', counts, ARGV[2], 1)
if ARGV[3] ~= '0' then redis.call('HINCRBY', counts, ARGV[2] .. ' failed', 1) end
redis.call('EXPIRE', counts, 7200)
"""

# KEYS pause, relapses; ARGV pause, longest pause, margin, time in which a refusal counts as a relapse, all ms
# → ms that the API is paused. Calls that were in flight when the pause began don't lengthen it.
PAUSE = """
local pause = redis.call('PTTL', KEYS[1])
if pause > 0 then return pause end
local relapses = tonumber(redis.call('GET', KEYS[2]) or -1) + 1
pause = math.min(tonumber(ARGV[2]), ARGV[1] * 2 ^ relapses) + ARGV[3]
redis.call('SET', KEYS[1], 1, 'PX', pause)
redis.call('SET', KEYS[2], relapses, 'PX', pause + ARGV[4])
return pause
"""

# KEYS cap, flight of the API; ARGV ms. Half of what flew when the platform said 45033.
NARROW = """
redis.call('SET', KEYS[1], math.max(1, math.floor(redis.call('ZCARD', KEYS[2]) / 2)), 'PX', ARGV[1])
"""
