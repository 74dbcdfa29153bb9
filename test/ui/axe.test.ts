import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { createViews } from '../../src/views/views.ts'
import { chromium } from '../support/chromium.ts'
import { LOCALES } from './languages.ts'
import { BRAND, contextOf, pagesOf } from './samples.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const views = createViews({ brand: BRAND, issuer: 'https://id.example.org' })
const { newPage } = chromium()

/** The page with its style sheet in it and without its script, which axe does not need. */
const standalone = (markup: string): string =>
  markup
    .replaceAll(/<script[^>]*><\/script>/g, '')
    .replaceAll(
      /<link rel="stylesheet" href="([^"]+)">/g,
      (_, path: string) => `<style>${views.assets.get(path)?.body.toString() ?? ''}</style>`,
    )

/** Colours do not hang on the language: the dark ones are measured from left to right and from right to left. */
const IN_THE_DARK = new Set(['en', 'ar'])

const faultsIn = (page: Page): Promise<string[]> =>
  page.evaluate(`(async () => {
    for (const folded of document.querySelectorAll('details')) folded.open = true
    const { violations } = await axe.run(document, { resultTypes: ['violations'] })
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ' ' + html.slice(0, 120)))
  })()`)

describe('UX-38 axe finds no fault, in light and dark', () => {
  it('in the dark both ways to read are seen', () => {
    expect(LOCALES.filter((locale) => IN_THE_DARK.has(locale))).toHaveLength(IN_THE_DARK.size)
  })

  it.each(LOCALES)(
    '%s',
    async (locale) => {
      // Colours are measured where they end, not on their way.
      const page = await newPage({ reducedMotion: 'reduce' })
      const schemes = IN_THE_DARK.has(locale) ? (['light', 'dark'] as const) : (['light'] as const)
      const faults: string[] = []
      // New content leaves the window and what is in it.
      await page.evaluate(AXE)
      for (const { name, variant, model } of pagesOf(locale)) {
        await page.setContent(standalone(views.page(name, model, contextOf(name, { locale }))))
        for (const colorScheme of schemes) {
          await page.emulateMedia({ colorScheme })
          const found = await faultsIn(page)
          faults.push(...found.map((fault) => `${name} ${variant} ${colorScheme}: ${fault}`))
        }
      }
      expect(faults).toEqual([])
    },
    180_000,
  )

  it('would find one', async () => {
    const page = await newPage()
    await page.evaluate(AXE)
    await page.setContent('<!doctype html><html><title>x</title><main><h1>x</h1><input></main>')
    expect((await faultsIn(page)).map((fault) => fault.split(' ')[0])).toEqual([
      'html-has-lang',
      'label',
    ])
  })
})
