/** For one server only: a Cluster allows no key that the caller has not named. */
export const LOOKING_ON = `
local function accountKey(id) return 'gh:account:{' .. redis.sha1hex(id) .. '}' end

-- By name, what write() has put into one field too.
local function named(flat)
  local fields = {}
  for i = 1, #flat, 2 do
    if flat[i] == 'm' then
      for name, value in string.gmatch(flat[i + 1], '(%S+) (%S+)') do fields[name] = value end
    else
      fields[flat[i]] = flat[i + 1]
    end
  end
  return fields
end

-- Epochs that a kept session or grant was stamped with before everything else ended.
local function isKept(kept, stamp)
  return kept and string.find('|' .. kept .. '|', '|' .. stamp .. '|', 1, true)
end

-- As \`stands\` in redis-standing.ts says for a Cluster.
local function ofAccount(f, session, grant)
  if not f.a then return true end
  local epoch, client, keptSession, keptGrant = unpack(readAccount(accountKey(f.a), f.k or '', session, grant))
  local stamp = f.ae
  if not epoch or not stamp then return false end
  if epoch ~= stamp and not isKept(keptSession, stamp) and not isKept(keptGrant, stamp) then return false end
  return not f.k or (client or '') == (f.ce or '')
end

-- Fields and time of what is valid, or false; second its fields by name.
local function standing(key)
  local flat = redis.call('HGETALL', key)
  if #flat == 0 then return false end
  local f = named(flat)
  local s, g = f.s or '', f.g or ''
  if not ofAccount(f, s, g) then return false end
  if f.b and redis.call('HGET', 'gh:scope:{' .. s .. '}', f.b) ~= f.se then return false end
  if f.ge and redis.call('HGET', 'gh:grant:{' .. g .. '}', 'e') ~= f.ge then return false end
  return { flat, now() }, f
end

local function standingSession(uid)
  local flat = redis.call('HGETALL', 'gh:session:{' .. uid .. '}')
  local f = named(flat)
  if not f.i or f.x or not ofAccount(f, uid, '') then return false end
  return { flat, now() }
end

-- Of KEYS artifact, account, scope, session, grant, lookup, beginning at \`k\`; of ARGV mode, ttl, consumed, fresh, account, client,
-- session, bind, grant, grant's stamp wanted, id, held, and then pairs, from \`a\` to \`last\`.
local function put(k, a, last)
  local mode, ttl, fresh = ARGV[a], ARGV[a + 1], ARGV[a + 3]
  local account, session, grant = { '', '' }, { '', '', '', '' }, ''
  if ARGV[a + 4] ~= '' then account = openAccount(KEYS[k + 1], ttl, ARGV[a + 5], fresh) end
  if ARGV[a + 6] ~= '' then session = openSession(KEYS[k + 2], KEYS[k + 3], ARGV[a + 7], ARGV[a + 8], ttl, fresh, ARGV[a + 11]) end
  if ARGV[a + 9] ~= '' then grant = openEpoch(KEYS[k + 4], 'e', ttl, fresh) end
  if mode == 'code' and session[2] == '1' then return 0 end
  local pairs = { 'ae', stampOf(account, session, ARGV[a + 4]), 'ce', account[2], 'se', session[1], 'ge', grant }
  for i = a + 12, last do pairs[#pairs + 1] = ARGV[i] end
  local stored = write(KEYS[k], mode, ttl, ARGV[a + 2], pairs)
  if ARGV[a + 10] ~= '' then
    redis.call('SET', KEYS[k + 5], ARGV[a + 10])
    if ttl ~= '' then redis.call('PEXPIRE', KEYS[k + 5], ttl) end
  end
  return stored
end
`
