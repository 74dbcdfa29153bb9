import { script } from '../../../redis/redis.ts'
import { FUNCTIONS } from './functions.ts'
import { LOOKING_ON } from './looking-on.ts'

const of = (body: string) => script(`${FUNCTIONS}${body}`)
const onOneServer = (body: string) => script(`${FUNCTIONS}${LOOKING_ON}${body}`)

/** Scripts whose keys share one slot. */
export const SPREAD = {
  /** KEYS account; ARGV ttl, client, fresh. */
  openAccount: of(`return openAccount(KEYS[1], ARGV[1], ARGV[2], ARGV[3])`),
  /** KEYS scope, session; ARGV bind, grant, ttl, fresh, held. */
  openSession: of(
    `return openSession(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5])`,
  ),
  /** KEYS grant; ARGV ttl, fresh. */
  openGrant: of(`return openEpoch(KEYS[1], 'e', ARGV[1], ARGV[2])`),
  /**
   * KEYS artifact; ARGV account, its epoch and the client's, the session's four, grant epoch, then
   * as `put`.
   */
  write: of(`
    local account, session = { ARGV[2], ARGV[3] }, { ARGV[4], ARGV[5], ARGV[6], ARGV[7] }
    local pairs = { 'ae', stampOf(account, session, ARGV[1]), 'ce', account[2], 'se', session[1], 'ge', ARGV[8] }
    for i = 12, #ARGV do pairs[#pairs + 1] = ARGV[i] end
    if ARGV[9] == 'code' and session[2] == '1' then return 0 end
    return write(KEYS[1], ARGV[9], ARGV[10], ARGV[11], pairs)`),
  /** KEYS session; ARGV id, proof, ttl, payload, account, stamp, held. */
  writeSession: of(
    `return writeSession(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7])`,
  ),
  /** KEYS artifact. */
  read: of(`return { redis.call('HGETALL', KEYS[1]), now() }`),
  /** KEYS account; ARGV client, session, grant. */
  readAccount: of(`return readAccount(KEYS[1], ARGV[1], ARGV[2], ARGV[3])`),
  /** KEYS artifact, its answer; ARGV most, then of the answer ttl and text. */
  spend: of(`
    if spend(KEYS[1]) == 0 then return false end
    keepAnswer(KEYS[2], ARGV[2], ARGV[3])
    return { redis.call('HGETALL', KEYS[1]), now(), shorten(KEYS[1], ARGV[1]) }`),
  /** KEYS session; ARGV id, proof, trace. */
  endSession: of(`return endSession(KEYS[1], ARGV[1], ARGV[2], ARGV[3])`),
} as const

/** The same in one round trip, where all keys are on one server. */
export const WHOLE = {
  /** KEYS and ARGV of one entry, as `put` in `looking-on.ts` names them. */
  put: onOneServer(`return put(1, 1, #ARGV)`),
  /** KEYS session, account, pointer; ARGV id, proof, ttl, payload, account, fresh, uid, held. */
  putSession: onOneServer(`
    local stamp = ''
    if ARGV[5] ~= '' then stamp = openAccount(KEYS[2], ARGV[3], '', ARGV[6])[1] end
    if writeSession(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], stamp, ARGV[8]) == 0 then return 0 end
    redis.call('SET', KEYS[3], ARGV[7])
    if ARGV[3] ~= '' then redis.call('PEXPIRE', KEYS[3], ARGV[3]) end
    return 1`),
  /** KEYS artifact. */
  find: onOneServer(`return (standing(KEYS[1]))`),
  /** KEYS artifacts; of each, itself, its grant and its session. */
  findInContext: onOneServer(`
    local found = {}
    for i, key in ipairs(KEYS) do
      local token, f = standing(key)
      found[i] = token and { token, f.g and standing('gh:Grant:{' .. f.g .. '}') or false, f.b == 'on' and standingSession(f.s) or false }
    end
    return found`),
  /** KEYS lookup; ARGV model. */
  findByLookup: onOneServer(`
    local id = redis.call('GET', KEYS[1])
    return id and (standing('gh:' .. ARGV[1] .. ':{' .. id .. '}'))`),
  /** KEYS artifact; ARGV most. */
  consume: onOneServer(`
    local found, f = false, nil
    if spend(KEYS[1]) == 1 then found, f = standing(KEYS[1]) end
    return found and { shorten(KEYS[1], ARGV[1]), f.k or '', f.g or '', f.s or '' }`),
  /** KEYS and ARGV as of `spend`, then of one entry after the other as of `put`. */
  exchange: onOneServer(`
    local found, f = false, nil
    if spend(KEYS[1]) == 1 then found, f = standing(KEYS[1]) end
    if not found then return false end
    keepAnswer(KEYS[2], ARGV[2], ARGV[3])
    local entries = (#KEYS - 2) / 6
    local each = (#ARGV - 3) / entries
    for i = 0, entries - 1 do put(3 + i * 6, 4 + i * each, 3 + (i + 1) * each) end
    return { shorten(KEYS[1], ARGV[1]), f.k or '', f.g or '', f.s or '' }`),
  /** KEYS pointer. */
  findSession: onOneServer(`
    local uid = redis.call('GET', KEYS[1])
    return uid and standingSession(uid)`),
  /** ARGV uid. */
  findSessionByUid: onOneServer(`return standingSession(ARGV[1])`),
  /** KEYS pointer; ARGV id, proof, trace. */
  destroySession: onOneServer(`
    local uid = redis.call('GET', KEYS[1])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    if not uid or endSession('gh:session:{' .. uid .. '}', ARGV[1], ARGV[2], ARGV[3]) == 0 then return false end
    return uid`),
} as const

/** Revocation: each touches records of one slot. */
export const REVOCATION = {
  /**
   * KEYS account; ARGV fresh, uid of the session that stays, its grants. What stays is remembered
   * with its old epochs; at most 16 of them.
   */
  account: of(`
    local old = redis.call('HGET', KEYS[1], 'e')
    if not old then return 0 end
    evenIfFull(KEYS[1])
    local names, kept = {}, {}
    if ARGV[2] ~= '' then names[1] = 's:' .. ARGV[2] end
    for i = 3, #ARGV do names[#names + 1] = 'g:' .. ARGV[i] end
    for _, name in ipairs(names) do
      local before, stamps, count = redis.call('HGET', KEYS[1], name), old, 1
      for each in string.gmatch(before or '', '[^|]+') do
        if count < 16 then stamps, count = stamps .. '|' .. each, count + 1 end
      end
      kept[name] = stamps
    end
    for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
      local kind = string.sub(name, 1, 2)
      if kind == 's:' or kind == 'g:' then redis.call('HDEL', KEYS[1], name) end
    end
    for name, stamps in pairs(kept) do redis.call('HSET', KEYS[1], name, stamps) end
    redis.call('HSET', KEYS[1], 'e', ARGV[1])
    return 1`),
  /** KEYS account; ARGV client, fresh. */
  client: of(`
    if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
    evenIfFull(KEYS[1])
    return redis.call('HSET', KEYS[1], 'c:' .. ARGV[1], ARGV[2])`),
  /** KEYS grant. What comes later gets another epoch. */
  grant: of(`return redis.call('DEL', KEYS[1])`),
  /** KEYS session, scope; returns the payload and the fields of the scope. */
  readSession: of(
    `return { redis.call('HGET', KEYS[1], 'p') or '', redis.call('HKEYS', KEYS[2]) }`,
  ),
  /** KEYS session, scope; ARGV fresh, trace; returns the payload. */
  session: of(`
    local payload = redis.call('HGET', KEYS[1], 'p') or ''
    evenIfFull(KEYS[2])
    if redis.call('EXISTS', KEYS[1]) == 1 then
      redis.call('HDEL', KEYS[1], 'p', 'r')
      redis.call('HSET', KEYS[1], 'x', '1')
      redis.call('PEXPIRE', KEYS[1], ARGV[2])
    end
    if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('HSET', KEYS[2], 'on', ARGV[1]) end
    return payload`),
} as const
