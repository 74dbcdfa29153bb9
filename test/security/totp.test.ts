import { describe, expect, it } from '@jest/globals'
import { generate } from 'otplib/functional'
import { generateTotpSecret, otpauthUri, verifyTotp } from '../../src/crypto/totp.ts'

/** The secret of RFC 6238 appendix B, in base32. */
const RFC_SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const at = (seconds: number): Date => new Date(seconds * 1000)
const codeAt = (secret: string, seconds: number): Promise<string> =>
  generate({ secret, epoch: seconds })

/** The same code in the digits of another script, by its zero. */
const inDigits = (code: string, zero: number): string =>
  [...code].map((digit) => String.fromCodePoint(zero + Number(digit))).join('')

describe('TOTP', () => {
  it('accepts the codes of RFC 6238 appendix B, cut to six digits, and names their time step', async () => {
    const vectors = [
      [59, '287082'],
      [1111111109, '081804'],
      [1111111111, '050471'],
      [1234567890, '005924'],
      [2000000000, '279037'],
      [20000000000, '353130'],
    ] as const
    for (const [seconds, code] of vectors)
      expect(await verifyTotp({ secret: RFC_SECRET, code, afterStep: 0, now: at(seconds) })).toBe(
        Math.floor(seconds / 30),
      )
  })

  it('TF-01 makes secrets of 160 random bits', async () => {
    const secrets = await Promise.all(Array.from({ length: 1000 }, generateTotpSecret))
    expect(new Set(secrets).size).toBe(1000)
    for (const secret of secrets) expect(secret).toMatch(/^[A-Z2-7]{32}$/)
  })

  it('TF-02 accepts the current step and the one before, no other', async () => {
    const secret = await generateTotpSecret()
    const step = 58_000_000
    for (const second of [0, 1, 15, 29]) {
      const now = at(step * 30 + second)
      const verdicts = []
      for (const drift of [-3, -2, -1, 0, 1, 2])
        verdicts.push(
          await verifyTotp({
            secret,
            code: await codeAt(secret, (step + drift) * 30),
            afterStep: 0,
            now,
          }),
        )
      expect(verdicts).toEqual([undefined, undefined, step - 1, step, undefined, undefined])
    }
  })

  it('TF-03 accepts no step twice, and none before the last one', async () => {
    const secret = await generateTotpSecret()
    const step = 58_000_000
    const now = at(step * 30 + 10)
    const [before, current] = [
      await codeAt(secret, (step - 1) * 30),
      await codeAt(secret, step * 30),
    ]
    expect(await verifyTotp({ secret, code: before, afterStep: step - 2, now })).toBe(step - 1)
    expect(await verifyTotp({ secret, code: before, afterStep: step - 1, now })).toBe(undefined)
    expect(await verifyTotp({ secret, code: current, afterStep: step - 1, now })).toBe(step)
    expect(await verifyTotp({ secret, code: current, afterStep: step, now })).toBe(undefined)
    expect(await verifyTotp({ secret, code: before, afterStep: step, now })).toBe(undefined)
  })

  it('TF-03 refuses, and does not fail, when the clock was set back behind the last step', async () => {
    const secret = await generateTotpSecret()
    const step = 58_000_000
    const code = await codeAt(secret, step * 30)
    for (const ahead of [1, 2, 1000])
      expect(await verifyTotp({ secret, code, afterStep: step + ahead, now: at(step * 30) })).toBe(
        undefined,
      )
  })

  it('reads six digits of every script and width, without the spaces, dashes and marks around them, and nothing else', async () => {
    const secret = await generateTotpSecret()
    const step = 58_000_000
    const now = at(step * 30)
    const code = await codeAt(secret, step * 30)
    for (const typed of [
      code,
      ` ${code} `,
      `${code.slice(0, 3)} ${code.slice(3)}`,
      `${code.slice(0, 3)}-${code.slice(3)}`,
      `${code.slice(0, 3)}\u00a0${code.slice(3)}`,
      `\u200f${code}\u200e`,
      `\u2068${code.slice(0, 3)}\u200b${code.slice(3)}\u2069`,
      ...[0x660, 0x6f0, 0x966, 0xff10, 0x1d7ce, 0x1d7f6].map((zero) => inDigits(code, zero)),
    ])
      expect(await verifyTotp({ secret, code: typed, afterStep: 0, now })).toBe(step)
    for (const typed of [
      '',
      ' ',
      code.slice(1),
      `${code}0`,
      `0${code}`,
      `+${code}`,
      `${code.slice(0, 5)}x`,
      inDigits(code.slice(1), 0x660),
      '0x1e24',
      '1e5000',
      'null',
      '1'.repeat(1_000_000),
    ])
      expect(await verifyTotp({ secret, code: typed, afterStep: 0, now })).toBe(undefined)
  })

  it('writes a label of two parts, whatever the brand is called', async () => {
    const secret = await generateTotpSecret()
    for (const [issuer, read] of [
      ['Acme: Login', 'Acme Login'],
      ['a:b : c', 'a b c'],
      [':', 'Gatehouse'],
    ] as const) {
      const uri = new URL(await otpauthUri({ secret, account: 'ada@example.com', issuer }))
      expect(decodeURIComponent(uri.pathname).slice(1).split(':')).toEqual([
        read,
        'ada@example.com',
      ])
      expect(uri.searchParams.get('issuer')).toBe(read)
    }
  })

  it('writes a URI that authenticator apps read', async () => {
    const secret = await generateTotpSecret()
    const uri = new URL(
      await otpauthUri({ secret, account: 'ada+x@example.com', issuer: 'Gate & House – Ünion' }),
    )
    expect(uri.protocol + uri.host).toBe('otpauth:totp')
    expect(decodeURIComponent(uri.pathname)).toMatch(/:ada\+x@example\.com$/)
    expect(uri.searchParams.get('secret')).toBe(secret)
    expect(uri.searchParams.get('issuer')).toBe('Gate & House – Ünion')
    expect(uri.href).not.toContain('+')
    for (const [name, value] of [
      ['algorithm', 'SHA1'],
      ['digits', '6'],
      ['period', '30'],
    ] as const)
      expect(uri.searchParams.get(name) ?? value).toBe(value)
  })
})
