import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import argon2 from 'argon2'
import { isCommonPassword } from '../../src/accounts/passwords/common-passwords.ts'
import { checkPassword } from '../../src/accounts/passwords/password-policy.ts'
import { EnvSchema, readEnv } from '../../src/config/env.ts'
import { BoundedQueue } from '../../src/crypto/bounded-queue.ts'
import { PasswordHasher } from '../../src/crypto/password.ts'
import { AppError, StartupError } from '../../src/errors.ts'
import { renderCommonPasswords } from '../support/common-passwords.ts'
import { useDatabase } from '../support/database.ts'
import { fastest } from '../support/fastest.ts'
import { asAdmin } from '../support/postgres.ts'
import { median } from '../support/statistics.ts'

const PARAMETERS = { memoryKib: 19_456, passes: 2 }
const CONTEXT = {
  email: 'alice.smith90@example.com',
  name: 'Alice Smith',
  product: 'Gatehouse',
  issuerHost: 'login.acme-works.example',
}
const PASSPHRASE = 'zeppelin quartz mango'

/** Characters that look random and are the same in every run. */
function drawn(alphabet: string, length: number, seed: number): string {
  const letters = [...alphabet]
  const bytes = createHash('shake256', { outputLength: length * 4 })
    .update(`${alphabet}:${seed}`)
    .digest()
  return Array.from(
    { length },
    (_, at) => letters[bytes.readUInt32BE(at * 4) % letters.length],
  ).join('')
}

const words = gunzipSync(readFileSync('src/accounts/passwords/common-passwords.txt.gz'))
  .toString('utf8')
  .trimEnd()
  .split('\n')
/** 1,000 entries of the list, evenly over all of it. */
function sample(fits: (word: string) => boolean): string[] {
  const fitting = words.filter(fits)
  return Array.from(
    { length: 1000 },
    (_, at) => fitting[Math.floor((at * fitting.length) / 1000)] ?? '',
  )
}

describe('length', () => {
  it('PW-01 asks for 15 code points as the only factor, and for 8 beside a second one', () => {
    const letters = drawn('abcdefghijkmnopqrstuvwxyz', 15, 1)
    for (const [length, alone, withMfa] of [
      [7, 'too_short', 'too_short'],
      [8, 'too_short', undefined],
      [14, 'too_short', undefined],
      [15, undefined, undefined],
    ] as const) {
      expect(checkPassword(letters.slice(0, length), CONTEXT)).toBe(alone)
      expect(checkPassword(letters.slice(0, length), { ...CONTEXT, hasMfa: true })).toBe(withMfa)
    }
    expect(checkPassword('', {})).toBe('too_short')
  })

  it('PW-01 counts code points, not UTF-16 units or bytes, after composition', () => {
    const emoji = drawn('🦊🐢🦉🐝🦋🐙🦔🐳🦩🐞🦚🐌🌵🍄🌋🚂🎈🧭🪁🧲', 15, 1)
    expect(emoji.length).toBe(30)
    expect(checkPassword(emoji, CONTEXT)).toBe(undefined)
    expect(checkPassword([...emoji].slice(1).join(''), CONTEXT)).toBe('too_short')
    const accented = drawn('éèêëàâäùûüîïôöç', 14, 2).normalize('NFD')
    expect(accented.length).toBe(28)
    expect(checkPassword(accented, CONTEXT)).toBe('too_short')
  })

  it('PW-02 accepts 64 and 256 code points, and refuses 257, 1,025 bytes and 1 MB in under 20 ms each', async () => {
    const letters = drawn('abcdefghijkmnopqrstuvwxyz23456789', 257, 3)
    expect(checkPassword(letters.slice(0, 64), CONTEXT)).toBe(undefined)
    expect(checkPassword(letters.slice(0, 256), CONTEXT)).toBe(undefined)
    expect(checkPassword(drawn('🦊🐢🦉🐝🦋🐙🦔🐳', 256, 1), CONTEXT)).toBe(undefined)
    const hasher = new PasswordHasher(PARAMETERS)
    for (const tooLong of [
      letters,
      '🦊'.repeat(257),
      `${drawn('🦊🐢🦉🐝🦋🐙🦔🐳', 255, 1)}e\u0301\u0327\u0323`,
      'a'.repeat(1_000_000),
      'e\u0301'.repeat(500_000),
      ' '.repeat(1_000_000),
    ]) {
      const cost = await fastest(async () => {
        expect(checkPassword(tooLong, CONTEXT)).toBe('too_long')
        await expect(hasher.hash(tooLong)).rejects.toMatchObject({
          code: 'password_rejected',
          details: { fields: { password: 'too_long' } },
        })
        expect(await hasher.verify(undefined, tooLong)).toEqual({
          valid: false,
          needsRehash: false,
        })
      })
      expect(cost).toBeLessThan(20)
    }
    expect(hasher.stats.evaluations).toBe(0)
  })

  it('PW-03 asks for no mixture of characters: 20 of each single class pass', () => {
    const classes = [
      'abcdefghijklmnopqrstuvwxyz',
      'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
      '0123456789',
      '!"#$%&\'()*+,-./:;<=>?@[]^_`{|}~',
      'абвгдежзийклмнопрстуфхцчшщъыьэюя',
    ]
    for (const alphabet of classes)
      for (let seed = 0; seed < 20; seed++) {
        const password = drawn(alphabet, 15, seed)
        expect([password, checkPassword(password, CONTEXT)]).toEqual([password, undefined])
      }
  })

  it('PW-03 accepts passphrases of common words, with or without spaces', () => {
    for (const passphrase of [
      PASSPHRASE,
      'correct horse battery',
      'contraption-flagstone',
      'my cat eats purple socks',
      'rustybicyclechain',
      'Le chat boit du thé',
      '三月の桜が川に散っていくのを見た',
    ])
      expect([passphrase, checkPassword(passphrase, CONTEXT)]).toEqual([passphrase, undefined])
  })
})

describe('blocklist', () => {
  it('PW-04 ships over 100,000 words, compiled from the dictionaries as they are installed', () => {
    expect(words.length).toBeGreaterThan(100_000)
    expect(
      gunzipSync(readFileSync('src/accounts/passwords/common-passwords.txt.gz')).equals(
        renderCommonPasswords(),
      ),
    ).toBe(true)
  })

  it('PW-04 finds every word of the list and nothing else', () => {
    expect(words.filter((word) => !isCommonPassword(word))).toEqual([])
    for (const word of [
      '',
      '\n',
      '!',
      '~',
      'zzzzzzzzzzzz',
      'passwor\nd',
      'Password',
      'xqzzkvbw',
      `${words[0]}\n${words[1]}`,
      'ÿ'.repeat(50),
    ])
      expect(isCommonPassword(word)).toBe(false)
  })

  it('PW-04 rejects each of 1,000 sampled entries that meet the length, with the reason', () => {
    for (const word of sample((entry) => [...entry].length >= 8))
      for (const typed of [word, word.toUpperCase(), word[0]?.toUpperCase() + word.slice(1)])
        expect([typed, checkPassword(typed, { hasMfa: true })]).toEqual([typed, 'too_common'])
    const long = words.filter((entry) => [...entry].length >= 15)
    expect(long.length).toBeGreaterThan(200)
    for (const word of long)
      expect([word, checkPassword(word, CONTEXT)]).toEqual([word, 'too_common'])
  })

  it('PW-04 rejects 1,000 sampled entries that were only made long enough', () => {
    for (const word of sample((entry) => /^[a-z]{4,}$/.test(entry)))
      for (const typed of [
        word.repeat(Math.ceil(15 / word.length)),
        word.padEnd(15, '1234567890'),
        word.padEnd(15, '!'),
        `${word}-${word}-${word}-${word}`,
        `12345678901${word}`,
      ])
        if (typed.length >= 15)
          expect([typed, checkPassword(typed, {})]).toEqual([typed, 'too_common'])
  })

  it.each([
    'passwordpassword',
    'PasswordPassword',
    '123456789012345',
    '098765432109876',
    'qwertyuiop12345',
    'qwertyasdfghzxc',
    '1qaz2wsx3edc4rfv',
    'aaaaaaaaaaaaaaa',
    'abababababababa',
    'abcdefghijklmno',
    '112233445566778',
    'x7Kq!x7Kq!x7Kq!',
    'Password2024!!!!',
    'Summer19901990!',
    'P4ssw0rd1234567',
    'p@$$w0rdp@$$w0rd',
    'p-a-s-s-w-o-r-d-1-2-3',
    '1 2 3 4 5 6 7 8 9 0',
    'administrator-99',
    'ｐａｓｓｗｏｒｄ１２３４５６７',
    'ﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺ',
  ])('PW-04 rejects the obvious %j', (typed) => {
    expect(checkPassword(typed, CONTEXT)).toBe('too_common')
  })

  it('PW-04 takes a word for a small part of a password only as what it is', () => {
    for (const typed of ['dragon7#kQvB2!xLm', 'xT9$password4Ry&Z', 'monkeyv8Wq3nRzK5y'])
      expect([typed, checkPassword(typed, CONTEXT)]).toEqual([typed, undefined])
  })

  it('IN-09 judges the worst passwords we know within 50 ms', async () => {
    checkPassword(PASSPHRASE, CONTEXT)
    const sequences = Array.from({ length: 256 }, (_, at) =>
      at % 9 === 8 ? '!x#q'[(at / 9) & 3] : '123456789'[at % 9],
    ).join('')
    for (const typed of [
      sequences,
      drawn('ﷺﷻ㌀', 256, 1),
      drawn('04@!', 256, 1),
      drawn('pasword', 256, 1),
      `${'password'.repeat(31)}zzkq`,
      `${'a'.repeat(255)}!`,
      '19'.repeat(128),
    ]) {
      expect(
        await fastest(() => checkPassword(typed, { ...CONTEXT, name: drawn('ab ', 100, 1) })),
      ).toBeLessThan(50)
    }
  })
})

describe('context', () => {
  it.each([
    'alice.smith90@example.com',
    'ALICE.SMITH90@EXAMPLE.COM',
    'alice@example.com',
    'alice.smith1990',
    'Alice Smith 2026',
    'AliceSmith2026!!',
    'smithalicesmith',
    'Al1ceSm1th12345',
    'alice smith 12031990',
    'Example20262026',
    'Example 20262026…',
    'gatehousegatehouse',
    'Gatehouse-12345',
    'G4t3house!!!!!!!',
    'login.acme-works.example',
    'acmeworksacmeworks',
    '!!!!!acme-works!!!!!',
  ])('PW-05 rejects %j, which is made of address, name, product or host', (typed) => {
    expect(checkPassword(typed, CONTEXT)).toBe('too_personal')
  })

  it('PW-05 lets such a word be part of a password', () => {
    for (const typed of ['alice rides a llama', 'gatehouse7#kQvB2!x', 'smith & wesker & co kazoo'])
      expect([typed, checkPassword(typed, CONTEXT)]).toEqual([typed, undefined])
    expect(checkPassword('aliceSmith2026!!', { email: 'bob@example.org', name: 'Bob' })).not.toBe(
      'too_personal',
    )
  })

  it('PW-05 draws nothing from names too short to mean anything', () => {
    expect(checkPassword('wulikexihobanjo', { name: 'Li Wu', email: 'lw@x.co' })).toBe(undefined)
  })
})

describe('hashing', () => {
  const hasher = new PasswordHasher({ ...PARAMETERS, slots: 1 })

  it('PW-06 verifies byte-exact after NFC: not trimmed, not cut, not folded', async () => {
    const long = drawn('abcdefghijkmnopqrstuvwxyz23456789', 80, 4)
    const password = ` ${long} `
    const hash = await hasher.hash(password)
    expect(await hasher.verify(hash, password)).toEqual({ valid: true, needsRehash: false })
    const others = [
      long,
      `${long} `,
      ` ${long}`,
      `${password} `,
      password.toUpperCase(),
      `${password}\0`,
      `${password.slice(0, 73)}#${password.slice(74)}`,
      password.slice(0, 72),
      '',
    ]
    for (const other of others)
      expect([other, await hasher.verify(hash, other)]).toEqual([
        other,
        { valid: false, needsRehash: false },
      ])
  })

  it('PW-06 takes composed and decomposed spellings for the same, and compatibility characters for others', async () => {
    const hash = await hasher.hash('Ünïcödé 한글 パス \u{1F512}'.normalize('NFD'))
    expect((await hasher.verify(hash, 'Ünïcödé 한글 パス \u{1F512}'.normalize('NFC'))).valid).toBe(
      true,
    )
    const plain = await hasher.hash('file password one')
    expect((await hasher.verify(plain, 'ﬁle password one')).valid).toBe(false)
    const nul = await hasher.hash('before\0after, long')
    expect((await hasher.verify(nul, 'before\0other, long')).valid).toBe(false)
  })

  it('PW-07 stores argon2id as a PHC string with its parameters and a salt of 16 bytes of its own', async () => {
    const hashes = [await hasher.hash(PASSPHRASE), await hasher.hash(PASSPHRASE)]
    for (const hash of hashes) {
      expect(hash).toMatch(
        /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
      )
      expect(Buffer.from(hash.split('$')[4] ?? '', 'base64')).toHaveLength(16)
    }
    expect(hashes[0]?.split('$')[4]).not.toBe(hashes[1]?.split('$')[4])
  })

  it('PW-07 asks for a new hash when a parameter rose, for the right password only, and not once it is made', async () => {
    const hash = await hasher.hash(PASSPHRASE)
    for (const raised of [
      new PasswordHasher({ memoryKib: 20_480, passes: 2 }),
      new PasswordHasher({ memoryKib: 19_456, passes: 3 }),
    ]) {
      expect(await raised.verify(hash, PASSPHRASE)).toEqual({ valid: true, needsRehash: true })
      expect(await raised.verify(hash, 'wrong')).toEqual({ valid: false, needsRehash: false })
      const renewed = await raised.hash(PASSPHRASE)
      expect(await raised.verify(renewed, PASSPHRASE)).toEqual({ valid: true, needsRehash: false })
      expect(await hasher.verify(renewed, PASSPHRASE)).toEqual({ valid: true, needsRehash: false })
    }
  })

  it('PW-07 verifies hashes of other programs and renews what is not argon2id', async () => {
    const options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
    const foreign = await argon2.hash(PASSPHRASE, options)
    expect(await hasher.verify(foreign, PASSPHRASE)).toEqual({ valid: true, needsRehash: false })
    const argon2i = await argon2.hash(PASSPHRASE, { ...options, type: argon2.argon2i })
    expect(await hasher.verify(argon2i, PASSPHRASE)).toEqual({ valid: true, needsRehash: true })
    expect(await argon2.verify(await hasher.hash(PASSPHRASE), PASSPHRASE)).toBe(true)
  })

  it('PW-07 refuses to start with less memory or fewer passes than the floor', () => {
    for (const weak of [
      { ARGON2_MEMORY_KIB: '8192' },
      { ARGON2_MEMORY_KIB: '19455' },
      { ARGON2_PASSES: '1' },
    ]) {
      expect(() => readEnv(weak)).toThrow(StartupError)
      expect(() => readEnv(weak)).toThrow('PW-07')
    }
    expect(readEnv({})).toMatchObject({ ARGON2_MEMORY_KIB: 19_456, ARGON2_PASSES: 2 })
  })

  it('EN-02 computes one hash of the same cost for an account that does not exist, and never says yes', async () => {
    const fresh = new PasswordHasher(PARAMETERS)
    expect(await fresh.verify(undefined, PASSPHRASE)).toEqual({ valid: false, needsRehash: false })
    expect(await fresh.verify(undefined, '')).toEqual({ valid: false, needsRehash: false })
    expect(fresh.stats.evaluations).toBe(2)
    const hash = await fresh.hash(PASSPHRASE)
    const cost = { known: [] as number[], unknown: [] as number[] }
    for (let round = 0; round < 15; round++)
      for (const [name, stored] of [
        ['known', hash],
        ['unknown', undefined],
      ] as const) {
        const start = performance.now()
        await fresh.verify(stored, 'a wrong password')
        cost[name].push(performance.now() - start)
      }
    expect(median(cost.unknown) / median(cost.known)).toBeGreaterThan(0.4)
    expect(median(cost.unknown) / median(cost.known)).toBeLessThan(2.5)
  })

  it('RL-07 fails, rather than say "wrong password", when a stored hash cannot be used', async () => {
    for (const broken of [
      '',
      'plain',
      '$2b$10$abcdefghijklmnopqrstuv',
      '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ',
    ]) {
      await expect(hasher.verify(broken, PASSPHRASE)).rejects.toThrow('malformed')
      await expect(hasher.verify(broken, PASSPHRASE)).rejects.not.toBeInstanceOf(AppError)
    }
  })
})

describe('pepper', () => {
  const [old, current] = [
    'the-old-pepper-of-at-least-32-characters',
    'the-new-pepper-of-at-least-32-characters',
  ]

  it('PW-08 without the pepper a stored hash verifies nothing', async () => {
    const peppered = new PasswordHasher({ ...PARAMETERS, peppers: [current] })
    const hash = await peppered.hash(PASSPHRASE)
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1,keyid=[0-9a-f]{16}\$/)
    expect(await peppered.verify(hash, PASSPHRASE)).toEqual({ valid: true, needsRehash: false })
    expect(await peppered.verify(hash, 'wrong')).toEqual({ valid: false, needsRehash: false })
    const thief = new PasswordHasher(PARAMETERS)
    await expect(thief.verify(hash, PASSPHRASE)).rejects.toThrow('PEPPERS')
    expect((await thief.verify(hash.replace(/,keyid=\w+/, ''), PASSPHRASE)).valid).toBe(false)
    expect(await peppered.verify(undefined, PASSPHRASE)).toEqual({
      valid: false,
      needsRehash: false,
    })
  })

  it('PW-08 CF-04 two peppers coexist, and a sign-in moves a hash to the newest', async () => {
    const before = await new PasswordHasher({ ...PARAMETERS, peppers: [old] }).hash(PASSPHRASE)
    const none = await new PasswordHasher(PARAMETERS).hash(PASSPHRASE)
    const rotated = new PasswordHasher({ ...PARAMETERS, peppers: [current, old] })
    expect(await rotated.verify(before, PASSPHRASE)).toEqual({ valid: true, needsRehash: true })
    expect(await rotated.verify(none, PASSPHRASE)).toEqual({ valid: true, needsRehash: true })
    const after = await rotated.hash(PASSPHRASE)
    expect(await rotated.verify(after, PASSPHRASE)).toEqual({ valid: true, needsRehash: false })
    expect(
      (await new PasswordHasher({ ...PARAMETERS, peppers: [current] }).verify(after, PASSPHRASE))
        .valid,
    ).toBe(true)
  })

  it('PW-08 CF-03 a weak or reused pepper stops the start', () => {
    expect(readEnv({ PEPPERS: `${current},${old}` }).PEPPERS).toEqual([current, old])
    for (const peppers of [
      'short',
      `${current},${current}`,
      'change-me-change-me-change-me-change-me',
    ])
      expect(() => readEnv({ PEPPERS: peppers })).toThrow('PEPPERS')
    expect(() => readEnv({ PEPPERS: current, COOKIE_KEYS: current })).toThrow('once only')
  })
})

describe('admission', () => {
  it('AA-02 computes at most as many hashes at once as it has slots, and refuses what is over the queue with seconds to wait', async () => {
    const hasher = new PasswordHasher({ ...PARAMETERS, slots: 2, queueLimit: 3 })
    const calls = Array.from({ length: 8 }, () => hasher.verify(undefined, PASSPHRASE))
    expect(hasher.stats).toMatchObject({ running: 2, waiting: 3 })
    const settled = await Promise.allSettled(calls)
    expect(settled.map(({ status }) => status)).toEqual([
      ...Array(5).fill('fulfilled'),
      ...Array(3).fill('rejected'),
    ])
    for (const outcome of settled.slice(5))
      expect(outcome).toMatchObject({
        reason: { code: 'unavailable', status: 503, details: { retryAfterSeconds: 2 } },
      })
    expect(hasher.stats).toEqual({ evaluations: 5, running: 0, waiting: 0, refused: 3 })
  })

  it('RL-07 G12 refuses at once whoever would wait in vain at the pace of late', async () => {
    const queue = new BoundedQueue({ slots: 1, queueLimit: 64, deadlineMs: 20 })
    const work = () => new Promise((resolve) => setTimeout(resolve, 400))
    queue.refuseWhenFull()
    await queue.run(work)
    const running = queue.run(work)
    queue.refuseWhenFull()
    const waiting = queue.run(work).catch((error: unknown) => error)
    expect(() => queue.refuseWhenFull()).toThrow('busy')
    expect(await waiting).toMatchObject({ code: 'unavailable' })
    await running
    queue.refuseWhenFull()
  })

  it('serves first come, first served, also those who come while a slot is handed over', async () => {
    const queue = new BoundedQueue({ slots: 1, queueLimit: 10, deadlineMs: 1000 })
    const order: number[] = []
    const work = (id: number) => queue.run(async () => void order.push(id))
    const first = [1, 2, 3].map(work)
    await first[0]
    await Promise.all([...first, work(4), work(5)])
    expect(order).toEqual([1, 2, 3, 4, 5])
    expect(queue.stats).toEqual({ running: 0, waiting: 0, refused: 0 })
  })

  it('gives up on the deadline without having begun, and keeps the slots right when work fails', async () => {
    const queue = new BoundedQueue({ slots: 1, queueLimit: 10, deadlineMs: 30 })
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    const slow = queue.run(() => gate)
    let begun = false
    const late = queue.run(async () => {
      begun = true
    })
    await expect(late).rejects.toMatchObject({
      code: 'unavailable',
      details: { retryAfterSeconds: 1 },
    })
    expect(begun).toBe(false)
    expect(queue.stats).toEqual({ running: 1, waiting: 0, refused: 1 })
    open()
    await slow
    await expect(queue.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(queue.stats).toMatchObject({ running: 0, waiting: 0 })
    expect(await queue.run(async () => 'next')).toBe('next')
  })
})

describe('schema', () => {
  const database = useDatabase()

  async function names(): Promise<string[]> {
    const { rows } = await asAdmin(database.url, (client) =>
      client.query<{ name: string }>(
        `select table_name || '.' || column_name as name from information_schema.columns where table_schema = 'public'`,
      ),
    )
    expect(rows.length).toBeGreaterThan(50)
    return [...Object.keys(EnvSchema.shape), ...rows.map(({ name }) => name)]
  }

  it('PW-11 knows no expiry of passwords: no setting and no column, only the flag of a compromised account', async () => {
    const expiry =
      /password.*(expir|max.?age|valid|rotat|histor|days)|(expir|rotat|histor).*password/i
    expect((await names()).filter((name) => expiry.test(name))).toEqual([])
    expect(await names()).toContain('account.must_reset_password')
  })

  it('PW-12 keeps no hint and no security question', async () => {
    const hint = /hint|question|answer|maiden|pet.?name/i
    expect((await names()).filter((name) => hint.test(name))).toEqual([])
  })
})
