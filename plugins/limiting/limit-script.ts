import { createHash } from "node:crypto";

/**
 * The algorithms of `algorithms.ts`, run by Redis: one script, so that nothing comes between asking and counting, and by
 * the clock of Redis, so that gateways need not agree about the time.
 * KEYS[1]: the caller. ARGV: algorithm, cost, then count, window in ms and burst of each limit.
 * Gives how long to wait, then of each limit what remains and when the whole is back, all as text: Redis cuts fractions off numbers.
 */
const text = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
local kind, cost, limits = ARGV[1], tonumber(ARGV[2]), (#ARGV - 2) / 3
local fields = {}
for i = 1, limits * 3 do fields[i] = tostring(i) end
local state = redis.call('HMGET', KEYS[1], unpack(fields))
local function limit(i)
  return tonumber(ARGV[i * 3]), tonumber(ARGV[i * 3 + 1]), tonumber(ARGV[i * 3 + 2])
end
local function numbers(i)
  return tonumber(state[i * 3 - 2] or 0), tonumber(state[i * 3 - 1] or 0), tonumber(state[i * 3] or 0)
end
local function inWindow(a, b, c, window)
  if a == window then return b end
  if a == window + 1 then return c end
  return 0
end
local function taken(a, b, count, windowMs)
  return math.max(0, a - (now - b) * count / windowMs)
end
local function waitMs(i, cost)
  local count, windowMs, burst = limit(i)
  local a, b, c = numbers(i)
  if kind == 'gcra' then
    if cost > burst then return math.huge end
    return math.max(0, a - now) + (cost - burst) * windowMs / count
  end
  if kind == 'token-bucket' then
    if cost > burst then return math.huge end
    return (taken(a, b, count, windowMs) + cost - burst) * windowMs / count
  end
  if cost > count then return math.huge end
  local window = math.floor(now / windowMs)
  if kind == 'fixed-window' then
    if inWindow(a, b, 0, window) + cost <= count then return 0 end
    return (window + 1) * windowMs - now
  end
  local passed = now / windowMs - window
  local current, previous, room = inWindow(a, b, c, window), inWindow(a, b, c, window - 1), count - cost
  if previous * (1 - passed) + current <= room + 0.000001 then return 0 end
  if current <= room then return (1 - (room - current) / previous - passed) * windowMs end
  return (2 - room / current - passed) * windowMs
end
local function counted(i)
  local count, windowMs = limit(i)
  local a, b, c = numbers(i)
  if kind == 'gcra' then return math.max(a, now) + cost * windowMs / count, 0, 0 end
  if kind == 'token-bucket' then return taken(a, b, count, windowMs) + cost, now, 0 end
  local window = math.floor(now / windowMs)
  return window, inWindow(a, b, c, window) + cost, inWindow(a, b, c, window - 1)
end
local function seen(i)
  local count, windowMs, burst = limit(i)
  local a, b, c = numbers(i)
  if kind == 'gcra' then return burst - math.max(0, a - now) * count / windowMs, a end
  if kind == 'token-bucket' then return burst - taken(a, b, count, windowMs), b + a * windowMs / count end
  local window = math.floor(now / windowMs)
  if kind == 'fixed-window' then return count - inWindow(a, b, 0, window), (a + 1) * windowMs end
  local previous = inWindow(a, b, c, window - 1) * (window + 1 - now / windowMs)
  return count - previous - inWindow(a, b, c, window), (a + 2) * windowMs
end

local wait = 0
for i = 1, limits do wait = math.max(wait, waitMs(i, cost)) end
if wait <= 0.01 then
  wait = 0
  local written = {}
  for i = 1, limits do
    local values = { counted(i) }
    for j = 1, 3 do
      local at = i * 3 - 3 + j
      state[at] = string.format('%.17g', values[j])
      written[#written + 1] = fields[at]
      written[#written + 1] = state[at]
    end
  end
  redis.call('HSET', KEYS[1], unpack(written))
end
local latest, answer = now, { string.format('%.17g', wait) }
for i = 1, limits do
  local remaining, expiry = seen(i)
  remaining = math.max(0, math.floor(remaining + 0.000001))
  local reset = expiry - now
  if remaining == 0 then reset = waitMs(i, 1) end
  latest = math.max(latest, expiry)
  answer[#answer + 1] = tostring(remaining)
  answer[#answer + 1] = string.format('%.17g', math.max(0, reset))
end
if wait == 0 then redis.call('PEXPIRE', KEYS[1], math.ceil(latest - now) + 1) end
return answer
`;

export const LIMIT_SCRIPT = { text, sha1: createHash("sha1").update(text).digest("hex") };
