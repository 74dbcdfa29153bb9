/**
 * Lua that all scripts share. Revocation needs no list of what it ends: account, session and grant
 * each have a record with a random epoch, every artifact is stamped with the epochs of its birth,
 * and lives only while they still stand. So a lost key can only end access, never prolong it. A
 * record outlives everything that is stamped with it.
 */
export const FUNCTIONS = `
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- ttl in milliseconds, '' for ever; never shortens.
local function keep(key, ttl, isNew)
  if ttl == '' then return redis.call('PERSIST', key) end
  ttl = math.max(tonumber(ttl), 1)
  local left = redis.call('PTTL', key)
  if isNew or (left >= 0 and left < ttl) then redis.call('PEXPIRE', key, ttl) end
end

local function openEpoch(key, field, ttl, fresh)
  local isNew = redis.call('HSETNX', key, field, fresh) == 1
  keep(key, ttl, isNew and redis.call('PTTL', key) == -1 and redis.call('HLEN', key) == 1)
  return redis.call('HGET', key, field)
end

-- The account's epoch, and that of the one client within it ('' until first revoked).
local function openAccount(key, ttl, client, fresh)
  return { openEpoch(key, 'e', ttl, fresh), redis.call('HGET', key, 'c:' .. client) or '' }
end

-- bind: 'on' for what ends with the session, 'off' for what survives it, '' for what is only seen with it.
-- Second of the answer: whether it is over, or lost while the caller held it.
local function openSession(scope, session, bind, grant, ttl, fresh, held)
  local epoch = ''
  if bind ~= '' then
    local on = openEpoch(scope, 'on', ttl, fresh)
    if bind == 'on' then epoch = on end
    if grant ~= '' then redis.call('HSETNX', scope, 'g:' .. grant, '1') end
  end
  local s = redis.call('HMGET', session, 'x', 'r', 'a', 'ae', 'i')
  local isOver = s[1] and not s[2] or held == '1' and not s[5]
  return { epoch, isOver and '1' or '', s[3] or '', s[4] or '' }
end

-- What is stored of a session keeps the account's epoch of the session: a session that was ended gets nothing that lives.
local function stampOf(account, session, id)
  if id ~= '' and session[3] == id and session[4] ~= '' then return session[4] end
  return account[1]
end

-- What is about to be written anew goes; what only a later version knows stays in its field, or is answered.
local function clear(key, pairs)
  local known, rest = {}, {}
  for i = 1, #pairs, 2 do
    known[pairs[i]] = true
    redis.call('HDEL', key, pairs[i])
  end
  for name, value in string.gmatch(redis.call('HGET', key, 'm') or '', '(%S+) (%S+)') do
    if not known[name] then rest[#rest + 1] = name .. ' ' .. value end
  end
  redis.call('HDEL', key, 'm')
  return rest
end

-- All that never changes of an artifact but its payload is one field: of a hash with a long value Redis takes some sixty bytes for
-- every other field.
local function write(key, mode, ttl, consumed, pairs)
  if mode == 'absent' and redis.call('EXISTS', key) == 1 then return 0 end
  consumed = redis.call('HGET', key, 'c') or consumed
  if ttl ~= '' and tonumber(ttl) <= 0 then return redis.call('DEL', key) and 1 end
  local fixed = redis.call('EXISTS', key) == 1 and clear(key, pairs) or {}
  if consumed ~= '' then redis.call('HSET', key, 'c', consumed) end
  for i = 1, #pairs, 2 do
    local name, value = pairs[i], pairs[i + 1]
    if name == 'p' or string.find(value, '%s') then redis.call('HSET', key, name, value)
    elseif value ~= '' then fixed[#fixed + 1] = name .. ' ' .. value end
  end
  if #fixed > 0 then redis.call('HSET', key, 'm', table.concat(fixed, ' ')) end
  if ttl == '' then redis.call('PERSIST', key) else redis.call('PEXPIRE', key, ttl) end
  return 1
end

-- A known session keeps its id, or follows the rotation that proves itself; everything else is late and stores nothing.
-- So is one that the caller held when its record was lost: it might be one that had ended.
local function writeSession(key, id, proof, ttl, payload, account, stamp, held)
  local old = redis.call('HMGET', key, 'i', 'x', 'r', 'a', 'ae')
  if old[1] then
    if old[2] then
      if not old[3] or old[3] ~= proof or old[1] == id then return 0 end
    elseif old[1] ~= id then
      return 0
    end
    if old[4] == account and old[5] then stamp = old[5] end
  elseif held == '1' then
    return 0
  end
  if tonumber(ttl or '') and tonumber(ttl) <= 0 then return redis.call('DEL', key) and 0 end
  redis.call('HDEL', key, 'x', 'r', 'a', 'ae')
  redis.call('HSET', key, 'i', id, 'p', payload)
  if account ~= '' then redis.call('HSET', key, 'a', account, 'ae', stamp) end
  if ttl == '' then redis.call('PERSIST', key) else redis.call('PEXPIRE', key, ttl) end
  return 1
end

-- Leaves the proof of who ended it. The second one leaves a session that nobody goes on with.
local function endSession(key, id, proof, trace)
  local s = redis.call('HMGET', key, 'i', 'x')
  if s[1] ~= id then return 0 end
  redis.call('HDEL', key, 'p', 'r')
  redis.call('HSET', key, 'x', '1')
  if not s[2] and proof ~= '' then redis.call('HSET', key, 'r', proof) end
  redis.call('PEXPIRE', key, trace)
  return 1
end

-- A script that has written may go on writing when memory is full: what revokes has to work then as well.
local function evenIfFull(key)
  redis.call('HDEL', key, '')
end

local function readAccount(key, client, session, grant)
  return redis.call('HMGET', key, 'e', 'c:' .. client, 's:' .. session, 'g:' .. grant)
end

local function spend(key)
  if redis.call('EXISTS', key) == 0 then return 0 end
  return redis.call('HSETNX', key, 'c', now())
end

-- Nothing is kept of an empty one.
local function keepAnswer(key, ttl, text)
  if text ~= '' then write(key, 'replace', ttl, '', { 'p', text }) end
end

-- The time that it would have lived; it lives no longer than \`most\`, '' for as long as it would have.
local function shorten(key, most)
  local left = redis.call('PTTL', key)
  if most ~= '' and (left < 0 or left > tonumber(most)) then redis.call('PEXPIRE', key, most) end
  return left
end
`
