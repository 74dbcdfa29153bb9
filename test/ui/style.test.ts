import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { assets, createViews } from '../../src/views/views.ts'
import { BRAND, contextOf, PAGES } from './samples.ts'

const css = readFileSync('views/assets/gatehouse.css', 'utf8')

/** The variables of a theme, as the style sheet declares them. */
function theme(selector: string): Record<string, string> {
  const block = css.slice(css.indexOf(selector)).match(/\{([^}]*)\}/)?.[1] ?? ''
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  )
}

/** WCAG 2.2 relative luminance. */
function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

const TEXT = [
  ['ink', 'ground'],
  ['ink', 'surface'],
  ['ink', 'tint'],
  ['ink', 'danger-tint'],
  ['muted', 'ground'],
  ['muted', 'surface'],
  ['accent', 'ground'],
  ['accent', 'surface'],
  ['accent', 'tint'],
  ['accent-strong', 'ground'],
  ['on-accent', 'accent'],
  ['on-accent', 'accent-strong'],
  ['danger', 'ground'],
  ['danger', 'surface'],
  ['danger', 'danger-tint'],
] as const
const EDGES = [
  ['edge', 'ground'],
  ['edge', 'surface'],
  ['accent', 'ground'],
  ['danger', 'surface'],
] as const

describe.each([
  ['light', ':root {'],
  ['dark', ':root[data-theme="dark"]'],
])('UX-38 the %s theme', (_, selector) => {
  const colors = theme(selector)

  it.each(TEXT)('%s on %s has a contrast of 4.5 and more', (text, ground) => {
    expect(contrast(colors[text] ?? '', colors[ground] ?? '')).toBeGreaterThanOrEqual(4.5)
  })

  it.each(EDGES)('%s on %s has a contrast of 3 and more', (edge, ground) => {
    expect(contrast(colors[edge] ?? '', colors[ground] ?? '')).toBeGreaterThanOrEqual(3)
  })
})

describe('the style sheet', () => {
  it('UX-38 has one dark theme, whether the system or the person wishes it', () => {
    expect(theme(':root:not([data-theme="light"])')).toEqual(theme(':root[data-theme="dark"]'))
  })

  it('measures black on white as 21', () => {
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21)
  })

  it('UX-38 mirrors by itself: nothing is left or right', () => {
    expect(css).not.toMatch(/\b(left|right)\b/)
    expect(css).toContain('prefers-reduced-motion')
  })

  it('UX-18 is around 10 kB, and a login page with all it loads far below 40', () => {
    const login = PAGES['interaction/login']['plain']
    if (!login) throw new Error('no sample')
    const page = createViews({ brand: BRAND, issuer: 'https://id.example.org' }).page(
      'interaction/login',
      login,
      contextOf('interaction/login'),
    )
    const sizes = Object.fromEntries(
      [...assets()].map(([path, { body }]) => [path.replace(/\.[\w-]{12}/, ''), body.length]),
    )
    const { '/assets/gatehouse.css': css = 0, '/assets/gatehouse.js': js = 0, ...others } = sizes
    expect(css).toBeLessThan(11_500)
    expect(js).toBeLessThan(6000)
    expect(others).toEqual({ '/assets/work.js': expect.any(Number) })
    expect(others['/assets/work.js']).toBeLessThan(1500)
    expect(page).not.toContain('/assets/work')
    expect(page.length + css + js).toBeLessThan(25_000)
    expect(gzipSync(page).length).toBeLessThan(3000)
  })

  it('is named by its content, so that it may be cached for ever', () => {
    for (const [path, { etag, type }] of assets()) {
      expect(path).toMatch(/^\/assets\/(gatehouse|work)\.[\w-]{12}\.(css|js)$/)
      expect(path).toContain(etag.slice(1, -1))
      expect(type).toMatch(/^text\/(css|javascript); charset=utf-8$/)
    }
  })
})
