import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { lookup, negotiate } from '../../src/views/negotiation.ts'
import { createViews, readLanguages } from '../../src/views/views.ts'
import { textOf } from '../support/html.ts'
import { BRAND, contextOf, MAILS, PAGES } from './samples.ts'

const folders: string[] = []
function folderWith(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-locales-'))
  folders.push(folder)
  for (const [name, content] of Object.entries(files))
    writeFileSync(
      join(folder, name),
      typeof content === 'string' ? content : JSON.stringify(content),
    )
  return folder
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

const HEAD = { tag: 'sw', name: 'Kiswahili', dir: 'ltr', status: 'partial' }

describe('UX-39 the language that a wish leads to (RFC 4647 3.4)', () => {
  const tags = ['en', 'de', 'fr', 'nb', 'pt-BR', 'zh-Hans']
  it.each([
    ['de', 'de'],
    ['DE-at', 'de'],
    ['fr-CA-x-own', 'fr'],
    ['pt', 'pt-BR'],
    ['pt-PT', 'pt-BR'],
    ['PT-br', 'pt-BR'],
    ['no', 'nb'],
    ['zh', 'zh-Hans'],
    ['zh-CN', 'zh-Hans'],
    ['zh-SG', 'zh-Hans'],
    ['zh-TW', undefined],
    ['zh-Hant', undefined],
    ['nl', undefined],
    ['', undefined],
    ['*', undefined],
    ['__proto__', undefined],
    ['x'.repeat(400), undefined],
  ])('%s -> %s', (range, tag) => {
    expect(lookup(tags, range)).toBe(tag)
  })

  it('the next wish counts where there is none for the first', () => {
    expect(negotiate(tags, { acceptLanguage: 'zh-TW, fr;q=0.8' })).toBe('fr')
    expect(negotiate(tags, { acceptLanguage: 'nl', cookie: 'pt' })).toBe('en')
  })
})

describe('UX-39 languages of the operator', () => {
  const signIn = PAGES['interaction/login']['plain']
  if (!signIn) throw new Error('the sample is missing')
  const page = (folder: string, locale: string): string =>
    createViews({
      brand: BRAND,
      issuer: 'https://id.example.org',
      languages: readLanguages(folder),
    }).page('interaction/login', signIn, contextOf('interaction/login', { locale }))

  it('a file adds one; what it does not say is English and marked so, in texts only', () => {
    const folder = folderWith({ 'sw.json': { _: HEAD, login: { title: 'Ingia' } } })
    expect(readLanguages(folder).tags).toContain('sw')
    const markup = page(folder, 'sw')
    expect(textOf(markup, 'h1')).toBe('Ingia')
    expect(markup).toContain('<html lang="sw" dir="ltr"')
    expect(markup).toContain('<span lang="en" dir="ltr">Password</span>')
    expect(markup.match(/<[^>]*[\ue000\ue001<][^>]*>/)).toBeNull()
    expect(markup).not.toMatch(/[\ue000\ue001]/)
  })

  it('no mail is in two languages', () => {
    const languages = readLanguages(
      folderWith({ 'sw.json': { _: HEAD, login: { title: 'Ingia' } } }),
    )
    const views = createViews({ brand: BRAND, issuer: 'https://id.example.org', languages })
    const model = MAILS['verify-email']['plain']
    if (!model) throw new Error('the sample is missing')
    const [own, english] = ['sw', 'en'].map((locale) =>
      views.mail('verify-email', model, { locale }),
    )
    expect(own).toEqual(english)
  })

  it('a file that says it is complete and is not, after an upgrade, breaks no page', () => {
    const head = { ...HEAD, status: 'complete' }
    const folder = folderWith({ 'sw.json': { _: head, login: { title: 'Ingia' } } })
    expect(page(folder, 'sw')).toContain('<span lang="en" dir="ltr">Password</span>')
  })

  it('a folder that is not there stops the start', () => {
    expect(() => readLanguages('/nowhere')).toThrow('/nowhere is no folder that can be read')
  })

  it('plural forms that English has not are taken', () => {
    const folder = folderWith({
      'pl.json': {
        _: { ...HEAD, tag: 'pl' },
        overview: { appCount: { few: '{count} aplikacje' } },
      },
    })
    expect(readLanguages(folder).get('pl').catalogue.size).toBeGreaterThan(0)
  })

  it('a file overrides single words of ours', () => {
    const folder = folderWith({ 'own.json': { _: { tag: 'de' }, login: { title: 'Moin' } } })
    expect(textOf(page(folder, 'de'), 'h1')).toBe('Moin')
    expect(page(folder, 'de')).toContain('Passwort')
  })

  it.each([
    ['not JSON', '{', /own\.json is not JSON/],
    ['no head', { login: {} }, /own\.json does not begin with "_"/],
    ['a tag that is none', { _: { ...HEAD, tag: '../en' } }, /own\.json does not begin with "_"/],
    ['a tag in another spelling', { _: { ...HEAD, tag: 'PT-br' } }, /does not begin with "_"/],
    [
      'a number for a word',
      { _: HEAD, login: { title: 7 } },
      /own\.json: login\.title is not a text/,
    ],
    ['a word of no page', { _: HEAD, login: { titel: 'x' } }, /own\.json: login\.titel is no key/],
    [
      'another place',
      { _: HEAD, page: { continueTo: '{brand}' } },
      /own\.json: page\.continueTo has the places \{brand\}, English has \{app\}/,
    ],
    ['markup', { _: HEAD, login: { title: '<b>x' } }, /own\.json: login\.title has markup/],
    ['an empty word', { _: HEAD, login: { title: ' ' } }, /own\.json: login\.title is empty/],
    ['a new language without a name', { _: { tag: 'sw' } }, /own\.json adds a language and has no/],
    ['a direction that is none', { _: { ...HEAD, dir: 'up' } }, /own\.json does not begin with/],
  ])('%s: a sentence that names the file', (_, content, sentence) => {
    expect(() => readLanguages(folderWith({ 'own.json': content }))).toThrow(sentence)
  })
})
