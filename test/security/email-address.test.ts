import { describe, expect, it } from '@jest/globals'
import { canonicalEmail } from '../../src/accounts/canonical-email.ts'
import { fastest } from '../support/fastest.ts'

const LOCAL_64 = 'a'.repeat(64)
/** A domain of exactly `length` characters. */
const domainOf = (length: number): string =>
  `${'a'.repeat((length - 4) % 62 || 62)}.${`${'b'.repeat(61)}.`.repeat(Math.floor((length - 5) / 62))}com`

const ACCEPTED: readonly (readonly [typed: string, canonical: string])[] = [
  ['ada@example.com', 'ada@example.com'],
  ['Ada.Lovelace@Example.COM', 'ada.lovelace@example.com'],
  ['  ada@example.com ', 'ada@example.com'],
  ['ada+news@example.com', 'ada+news@example.com'],
  ['a.d.a@example.com', 'a.d.a@example.com'],
  ["o'brien@example.com", "o'brien@example.com"],
  ["!#$%&'*+-/?=^_`{|}~@example.com", "!#$%&'*+-/?=^_`{|}~@example.com"],
  ['1@2.example', '1@2.example'],
  ['ada@mail.sub.example.co.uk', 'ada@mail.sub.example.co.uk'],
  ['ada@ex--ample.com', 'ada@ex--ample.com'],
  ['ada@münchen.de', 'ada@xn--mnchen-3ya.de'],
  ['ada@MÜNCHEN.de', 'ada@xn--mnchen-3ya.de'],
  ['ada@mu\u0308nchen.de', 'ada@xn--mnchen-3ya.de'],
  ['ada@XN--MNCHEN-3YA.de', 'ada@xn--mnchen-3ya.de'],
  ['ada@例え.jp', 'ada@xn--r8jz45g.jp'],
  ['ada@例え。jp', 'ada@xn--r8jz45g.jp'],
  ['ada@ｅｘａｍｐｌｅ．ｃｏｍ', 'ada@example.com'],
  [`${LOCAL_64}@example.com`, `${LOCAL_64}@example.com`],
  [`ada@${'a'.repeat(63)}.com`, `ada@${'a'.repeat(63)}.com`],
  [`ada@${domainOf(250)}`, `ada@${domainOf(250)}`],
]

const REFUSED: readonly string[] = [
  // Not one address
  '',
  ' ',
  'ada',
  '@',
  '@example.com',
  'ada@',
  'ada@@example.com',
  'ada@example.com@evil.example',
  'ada@example.com,eve@evil.example',
  'ada@example.com;eve@evil.example',
  'ada@example.com eve@evil.example',
  'eve@evil.example, ada@example.com',
  'friends:ada@example.com,eve@evil.example;',
  'mailto:ada@example.com?cc=eve@evil.example',
  'Ada <ada@example.com>',
  '<ada@example.com>',
  'ada@example.com>',
  // Quotes, comments, routes
  '"ada"@example.com',
  '"ada@evil.example"@example.com',
  '"ada eve"@example.com',
  'ada(comment)@example.com',
  'ada@(comment)example.com',
  'ada@example.com(comment)',
  '@relay.example:ada@example.com',
  'ada\\@evil.example@example.com',
  // Control characters and spaces
  'ada@example.com\n',
  '\tada@example.com',
  'ada@example.com\r\nBcc: eve@evil.example',
  'ada\r\n@example.com',
  'ada\0@example.com',
  'ada@exam\0ple.com',
  'ada@exam\tple.com',
  'ad a@example.com',
  'ada@ example.com',
  'ada @example.com',
  '\u00a0ada@example.com',
  // Dots
  '.ada@example.com',
  'ada.@example.com',
  'a..da@example.com',
  'ada@example.com.',
  'ada@.example.com',
  'ada@example..com',
  // Not a domain that mail can go to
  'ada@localhost',
  'ada@com',
  'ada@[192.0.2.1]',
  'ada@192.0.2.1',
  'ada@0x7f.1',
  'ada@2130706433',
  'ada@[IPv6:2001:db8::1]',
  'ada@example.123',
  'ada@-example.com',
  'ada@example-.com',
  'ada@exa_mple.com',
  'ada@example.com:25',
  'ada@example.com/path',
  'ada@example.com?x',
  'ada@example.com#x',
  'ada@exa%6dple.com',
  'ada@a／b.com',
  'ada@example.com？x',
  'ada@xn--a.com',
  'ada@xn--.com',
  // Characters that only look as if they were not there, or were others
  'ada@exa\u00admple.com',
  'ada@exa\u200bmple.com',
  'ada@exa\u200dmple.com',
  'ada@\u202eexample.com',
  'ada@example.com\u200f',
  'ada\u200b@example.com',
  'аda@example.com',
  'ada＠example.com',
  'josé@example.com',
  '\u212aate@example.com',
  // Lengths
  `${LOCAL_64}a@example.com`,
  `ada@${'a'.repeat(64)}.com`,
  `ada@${domainOf(251)}`,
  `${'a'.repeat(1_000_000)}@example.com`,
]

/**
 * Letters that look like, fold to or decompose to an ASCII letter; the list is Unicode's
 * confusables for the letters below.
 */
const TWINS: Readonly<Record<string, string>> = {
  a: 'аａàáâãäåɑαＡÀÁАΑⓐᵃₐ𝐚𝕒',
  c: 'сｃçćϲⅽСϹⓒᶜ𝐜',
  d: 'ԁｄďⅾⓓᵈ𝐝',
  e: 'еｅèéêëėЕΕℯⅇⓔᵉₑ𝐞',
  h: 'һｈĥℎⓗʰₕ𝐡',
  i: 'іｉìíîïıİΙⅰⓘᵢ𝐢',
  k: 'ｋķκК\u212aⓚᵏₖ𝐤',
  l: 'ｌĺӏⅼⓛˡₗ𝐥',
  m: 'ｍмⅿⓜᵐₘ𝐦',
  o: 'оｏòóôõöοО০ⓞᵒₒ𝐨',
  p: 'рｐρРⓟᵖₚ𝐩',
  s: 'ѕｓśşſＳⓢˢₛ𝐬',
  x: 'хｘχХⅹⓧˣₓ𝐱',
}
const INVISIBLE = [
  '\u00ad',
  '\u034f',
  '\u061c',
  '\u180e',
  '\u200b',
  '\u200c',
  '\u200d',
  '\u200e',
  '\u2060',
  '\u202e',
  '\u2066',
  '\ufe0f',
  '\ufeff',
  '\u3164',
  '\u{e0061}',
]

/** Every way to spell the text with one letter replaced or one invisible character inserted. */
function variants(text: string): string[] {
  const letters = [...text]
  const inserted = letters.flatMap((_, at) =>
    INVISIBLE.map((sign) => [...letters.slice(0, at), sign, ...letters.slice(at)].join('')),
  )
  const replaced = letters.flatMap((letter, at) =>
    [...(TWINS[letter] ?? '')].map((twin) => letters.with(at, twin).join('')),
  )
  return [
    ...inserted,
    ...replaced,
    ...[...inserted, ...replaced].map((variant) => variant.toUpperCase()),
  ]
}

describe('e-mail addresses', () => {
  it.each(ACCEPTED)('EM-12 accepts %j', (typed, canonical) => {
    expect(canonicalEmail(typed)).toBe(canonical)
  })

  it.each(REFUSED.map((typed) => [typed.slice(0, 80), typed]))('EM-12 refuses %j', (_, typed) => {
    expect(canonicalEmail(typed)).toBe(undefined)
  })

  it('EM-12 gives the canonical form again for the canonical form', () => {
    for (const [, canonical] of ACCEPTED) expect(canonicalEmail(canonical)).toBe(canonical)
  })

  it('EM-12 F23 takes no local part for another: no look-alike is accepted but the same letters in the other case', () => {
    const local = 'michael.cooksey.smith'
    const pairs = variants(local)
    expect(pairs.length).toBeGreaterThan(900)
    for (const twin of pairs) {
      const canonical = canonicalEmail(`${twin}@example.com`)
      expect([twin, canonical]).toEqual([
        twin,
        twin.toLowerCase() === local && /^[ -~]+$/.test(twin) ? `${local}@example.com` : undefined,
      ])
    }
  })

  it('EM-12 F23 takes no domain for another: a look-alike is refused, is the same name by IDNA, or goes to another mailbox', () => {
    const domain = 'michael-cooks.example-home.com'
    const pairs = variants(domain)
    expect(pairs.length).toBeGreaterThan(1300)
    for (const twin of pairs) {
      const canonical = canonicalEmail(`ada@${twin}`)
      if (canonical === undefined) continue
      expect(canonical).toMatch(/^ada@[a-z0-9.-]+$/)
      const isSameName = twin.normalize('NFKC').toLowerCase() === domain
      if (isSameName) expect([twin, canonical]).toEqual([twin, `ada@${domain}`])
      else expect([twin, canonical]).toEqual([twin, expect.stringMatching(/^ada@(?=.*xn--)/)])
    }
  })

  it('EM-12 F23 an invisible character is never dropped', () => {
    for (const sign of INVISIBLE)
      for (const typed of [
        `a${sign}da@example.com`,
        `ada@exa${sign}mple.com`,
        `ada@example.c${sign}om`,
        `${sign}ada@example.com`,
        `ada@example.com${sign}`,
      ])
        expect([typed, canonicalEmail(typed)]).toEqual([typed, undefined])
  })

  it('IN-09 judges any input in a few milliseconds', async () => {
    const inputs = [
      ' '.repeat(50_000),
      `a${' '.repeat(1000)}@b.c`,
      'a.'.repeat(500),
      `a@${'a-'.repeat(500)}`,
      `a@${'a.'.repeat(500)}`,
      `a@${'é'.repeat(1000)}.de`,
    ]
    for (const input of inputs) expect(await fastest(() => canonicalEmail(input))).toBeLessThan(20)
  })
})
