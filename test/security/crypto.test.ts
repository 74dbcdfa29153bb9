import { createSecretKey } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import Keygrip from 'keygrip'
import { CookieKeys } from '../../src/crypto/cookie-keys.ts'
import { generateRecoveryCodes, normalizeRecoveryCode } from '../../src/crypto/recovery-codes.ts'
import { SecretBox } from '../../src/crypto/secret-box.ts'
import {
  deriveKey,
  equal,
  hmac,
  randomToken,
  sha256,
  sixDigitCode,
} from '../../src/crypto/token.ts'
import { StartupError } from '../../src/errors.ts'

const OLD = 'an-old-key-encryption-key-of-32-characters'
const NEW = 'a-new-key-encryption-key-of-32-characters!'

describe('cookie keys', () => {
  it('CF-04 JW-09 sign as Keygrip does: its cookies go on, under old keys too', () => {
    const [ours, library] = [new CookieKeys([NEW, OLD]), new Keygrip([NEW, OLD])]
    const signed = library.sign('session=abc')
    expect(ours.sign('session=abc')).toBe(signed)
    expect(ours.index('session=abc', signed)).toBe(0)
    expect(ours.index('session=abc', new Keygrip([OLD]).sign('session=abc'))).toBe(1)
    for (const forged of [
      '',
      `${signed}=`,
      ` ${signed}`,
      signed.slice(1),
      signed.toUpperCase(),
      'é'.repeat(27),
    ])
      expect([ours.verify('session=abc', forged), library.verify('session=abc', forged)]).toEqual([
        false,
        false,
      ])
    expect(ours.verify('session=abd', signed)).toBe(false)
  })
})

describe('tokens', () => {
  it('EM-01 SE-01 makes tokens of 256 bits and more, none of 100,000 twice', () => {
    const tokens = Array.from({ length: 100_000 }, () => randomToken())
    expect(new Set(tokens).size).toBe(tokens.length)
    expect(tokens.every((token) => /^[\w-]{43}$/.test(token))).toBe(true)
    expect(Buffer.from(randomToken(128), 'base64url')).toHaveLength(16)
  })

  it('JW-10 draws six-digit codes evenly from the whole million', () => {
    const codes = Array.from({ length: 100_000 }, sixDigitCode)
    expect(codes.every((code) => /^\d{6}$/.test(code))).toBe(true)
    const counts = Array.from(
      { length: 10 },
      (_, digit) => codes.filter((code) => code.startsWith(String(digit))).length,
    )
    // Six standard deviations of a binomial distribution (n = 100,000, p = 0.1).
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(570)
  })

  it('digests and derives as the standards say (FIPS 180-4, RFC 2104, RFC 5869)', () => {
    expect(sha256('abc').toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
    expect(hmac(createSecretKey(Buffer.alloc(20, 0x0b)), 'Hi There').toString('hex')).toBe(
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    )
    expect(deriveKey(NEW, 'a')).toHaveLength(32)
    expect(deriveKey(NEW, 'a')).toEqual(deriveKey(NEW, 'a'))
    expect(deriveKey(NEW, 'a')).not.toEqual(deriveKey(NEW, 'b'))
    expect(deriveKey(NEW, 'a')).not.toEqual(deriveKey(OLD, 'a'))
  })

  it('JW-09 compares by content and never throws for a different length', () => {
    expect(equal(Buffer.from('secret'), Buffer.from('secret'))).toBe(true)
    expect(equal(Buffer.from('secret'), Buffer.from('secreT'))).toBe(false)
    expect(equal(Buffer.from('secret'), Buffer.from('secre'))).toBe(false)
    expect(equal(Buffer.alloc(0), Buffer.from('secret'))).toBe(false)
  })
})

describe('source', () => {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file, text: readFileSync(join('src', file), 'utf8') }))

  it('JW-09 compares digests, secrets and tokens in constant time only', () => {
    const naive =
      /\b\w*(?:digest|hmac|secret|mac|signature)\w*(?:\(.*\))?\s*[!=]==(?!\s*(?:null|undefined|'|\d))/i
    const found = sources.flatMap(({ file, text }) =>
      text
        .split('\n')
        .flatMap((line, at) =>
          naive.test(line.replace(/\b\w+\.length\b|typeof \w+/g, ''))
            ? [`${file}:${at + 1} ${line.trim()}`]
            : [],
        ),
    )
    expect(found).toEqual([])
    expect(naive.test('if (digest === stored) return')).toBe(true)
  })

  it('JW-10 takes no secret from Math.random or from a UUID', () => {
    const weak =
      /Math\.random|(?:secret|token|challenge|nonce|digest|password)\w*(?<!Id)\s*[:=]\s*(?:crypto\.)?randomUUID/i
    expect(sources.filter(({ text }) => weak.test(text)).map(({ file }) => file)).toEqual([])
    expect(weak.test('linkSecret: randomUUID()')).toBe(true)
    expect(sources.length).toBeGreaterThan(20)
  })
})

describe('secret box', () => {
  const box = new SecretBox([NEW])

  it('TF-01 JW-08 opens what it sealed, and seals the same text differently each time', () => {
    const sealed = box.seal('JBSWY3DPEHPK3PXP', 'account 1')
    expect(box.open(sealed, 'account 1').toString()).toBe('JBSWY3DPEHPK3PXP')
    expect(sealed.includes('JBSWY3DPEHPK3PXP')).toBe(false)
    expect(box.seal('JBSWY3DPEHPK3PXP', 'account 1')).not.toEqual(sealed)
    expect(box.open(box.seal(new Uint8Array(0), ''), '')).toHaveLength(0)
    const plain = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    expect(new Uint8Array(box.open(new Uint8Array(box.seal(plain, 'bytes')), 'bytes'))).toEqual(
      plain,
    )
  })

  it("TF-01 does not open one account's box as another's", () => {
    const sealed = box.seal('JBSWY3DPEHPK3PXP', 'account 1')
    expect(() => box.open(sealed, 'account 2')).toThrow('altered')
  })

  it('TF-01 notices a change of any single bit, and of the length', () => {
    const sealed = box.seal('JBSWY3DPEHPK3PXP', 'account 1')
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const altered = Buffer.from(sealed)
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(() => box.open(altered, 'account 1')).toThrow(/altered|missing|version/)
    }
    for (let length = 0; length < sealed.length; length++)
      expect(() => box.open(sealed.subarray(0, length), 'account 1')).toThrow(/altered|version/)
    expect(() => box.open(Buffer.concat([sealed, Buffer.of(0)]), 'account 1')).toThrow('altered')
  })

  it('CF-04 opens with any listed key, seals with the newest, and tells which boxes to seal again', () => {
    const old = new SecretBox([OLD]).seal('kept', 'a')
    const rotated = new SecretBox([NEW, OLD])
    expect(rotated.open(old, 'a').toString()).toBe('kept')
    expect(rotated.isCurrent(old)).toBe(false)
    const resealed = rotated.seal(rotated.open(old, 'a'), 'a')
    expect(rotated.isCurrent(resealed)).toBe(true)
    expect(new SecretBox([NEW]).open(resealed, 'a').toString()).toBe('kept')
  })

  it('CF-04 names the setting, not the key, when the key is missing', () => {
    const old = new SecretBox([OLD]).seal('lost', 'a')
    expect(() => box.open(old, 'a')).toThrow(StartupError)
    expect(() => box.open(old, 'a')).toThrow(/^KEY_ENCRYPTION_KEYS: (?!.*(an-old|a-new))/)
    expect(() => new SecretBox([])).toThrow(StartupError)
  })
})

describe('recovery codes', () => {
  it('TF-09 makes ten codes of at least 64 bits, all different, easy to read', () => {
    const codes = generateRecoveryCodes()
    expect(codes).toHaveLength(10)
    for (const code of codes)
      expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/)
    expect(16 * Math.log2(32)).toBeGreaterThanOrEqual(64)
    const many = generateRecoveryCodes(20_000)
    expect(new Set(many).size).toBe(many.length)
    expect(new Set(many.join('').replaceAll('-', '')).size).toBe(32)
  })

  it('TF-09 reads a code however it was typed', () => {
    const code = '10KM-Q0ZR-1XWB-9T4E'
    const normal = '10KMQ0ZR1XWB9T4E'
    for (const typed of [
      code,
      normal,
      code.toLowerCase(),
      ' 10km q0zr 1xwb 9t4e ',
      'IOKM-QOZR-LXWB-9T4E',
      'iokm–qozr—lxwb−9t4e'.replace('−', '-'),
    ])
      expect(normalizeRecoveryCode(typed)).toBe(normal)
    for (const [index] of [...code].entries())
      if (code[index] !== '-')
        expect(normalizeRecoveryCode(code.slice(0, index) + code.slice(index + 1))).toBe(undefined)
    for (const typed of [
      '',
      '123456',
      `${code}0`,
      code.replace('K', 'U'),
      '10KM-Q0ZR-1XWB-9T4!',
      'x'.repeat(1_000_000),
    ])
      expect(normalizeRecoveryCode(typed)).toBe(undefined)
  })
})
