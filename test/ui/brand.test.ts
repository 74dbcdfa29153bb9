import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { accentFault, accentFrom, contrast, OWN_ACCENT } from '../../src/config/accent.ts'
import { assets, createViews } from '../../src/views/views.ts'
import { tokensOf } from '../support/html.ts'
import { PNG } from '../support/pictures.ts'
import { BRAND, contextOf, eachMail, PAGES } from './samples.ts'

const issuer = 'https://id.example.org'
const PAPER = { light: ['#fbfaf7', '#ffffff'], dark: ['#121413', '#1a1d1b'] } as const
const color = fc
  .integer({ min: 0, max: 0xffffff })
  .map((value) => `#${value.toString(16).padStart(6, '0')}`)
const VARIABLES = /--(accent|accent-strong|on-accent|tint): ?(#[0-9a-f]{6})/g
const variablesOf = (css: string) => [...css.matchAll(VARIABLES)].map(([, , value]) => value)

describe('UX-38 the accent of an operator', () => {
  it('is refused exactly where links of that colour cannot be read, with the ratio', () => {
    fc.assert(
      fc.property(fc.constantFrom('light', 'dark'), color, (theme, given) => {
        const ratio = Math.min(...PAPER[theme].map((paper) => contrast(given, paper)))
        const fault = accentFault(theme, given)
        expect(fault === undefined).toBe(ratio >= 4.5)
        if (fault) expect(fault).toContain(`${Math.floor(ratio * 10) / 10}:1 with ${theme} pages`)
      }),
    )
  })

  it('has 4.5 with all that it is drawn on and all that is drawn on it, in both themes', () => {
    const readable = color.filter((given) => accentFault('light', given) === undefined)
    fc.assert(
      fc.property(readable, (given) => {
        const made = accentFrom(given)
        expect(made.light.accent).toBe(given)
        for (const theme of ['light', 'dark'] as const) {
          const { accent, accentStrong, onAccent, tint } = made[theme]
          const pairs = [
            ...[...PAPER[theme], tint, onAccent].map((other) => contrast(accent, other)),
            ...[...PAPER[theme], onAccent].map((other) => contrast(accentStrong, other)),
          ]
          expect(Math.min(...pairs)).toBeGreaterThanOrEqual(4.5)
        }
      }),
    )
  })

  it('is the one of our style sheet unless there is another', () => {
    const css = [...assets().values()].find(({ type }) => type.includes('css'))?.body.toString()
    const { light, dark } = OWN_ACCENT
    const [day, night] = [light, dark].map((each) => [
      each.accent,
      each.accentStrong,
      each.onAccent,
      each.tint,
    ])
    expect(variablesOf(css ?? '')).toEqual([day, night, night].flat())
  })
})

describe('a brand', () => {
  const brand = {
    ...BRAND,
    name: 'Harbour & Sons',
    logo: { type: 'image/png', content: PNG } as const,
    accent: accentFrom('#7b1fa2', '#e1b3f5'),
    css: ':root { --radius: 2px; }',
  }
  const views = createViews({ brand, issuer })
  const drawn = () => {
    const model = PAGES['pages/forgot-password']['plain']
    if (!model) throw new Error('no sample')
    return views.page('pages/forgot-password', model, contextOf('pages/forgot-password'))
  }

  it('stands in the head of a page by its logo, whose text is the name, and as the icon', () => {
    const opened = [...tokensOf(drawn())].flatMap((each) => (each.kind === 'open' ? [each] : []))
    const [logo] = opened.filter(({ attributes }) => attributes['class'] === 'logo')
    expect(logo?.attributes).toMatchObject({ alt: 'Harbour & Sons' })
    const asset = views.assets.get(logo?.attributes['src'] ?? '')
    expect([asset?.type, asset?.body]).toEqual(['image/png', PNG])
    expect(opened.find(({ attributes }) => attributes['rel'] === 'icon')?.attributes['href']).toBe(
      logo?.attributes['src'],
    )
  })

  it('has its sheets after ours, the own file last', () => {
    const sheets = [...drawn().matchAll(/rel="stylesheet" href="([^"]+)"/g)].map(
      ([, path = '']) => views.assets.get(path)?.body.toString() ?? '',
    )
    expect(sheets).toHaveLength(3)
    expect(variablesOf(sheets[1] ?? '')).toEqual(expect.arrayContaining(['#7b1fa2', '#e1b3f5']))
    expect(sheets[2]).toBe(brand.css)
  })

  it('UX-27 colours mails, which load no logo', () => {
    for (const { name, model } of eachMail()) {
      const { html } = views.mail(name, model, { locale: 'en' })
      expect(html).not.toMatch(/#14553f|#8fd3b3|<img/)
      if (html.includes('class="button"')) expect(html).toContain('background-color:#7b1fa2')
      expect(html).toContain('.link { color: #e1b3f5 !important; }')
      expect(html).toContain('Harbour &amp; Sons')
    }
  })

  it('costs nothing where there is none: no file, no rule, our mark', () => {
    const plain = createViews({ brand: BRAND, issuer })
    expect([...plain.assets.keys()]).toEqual([...assets().keys()])
  })
})
