import { existsSync, globSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium, type Page } from 'playwright-core'
import { createViews } from '../../src/views/views.ts'
import { LOCALES } from './languages.ts'
import { BRAND, contextOf, eachMail, eachPage } from './samples.ts'

/**
 * Every page and mail as a file and a picture, to look at:
 * `node test/ui/gallery.ts [--only login] [--locales en,ar] [--sizes 320,1280] [--out dir]`. What
 * folds is open with `--open`. Needs the Chromium that the tests unpack, or CHROME_PATH.
 */
const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    locales: { type: 'string', default: LOCALES.join() },
    sizes: { type: 'string', default: '320,1280' },
    themes: { type: 'string', default: 'light,dark' },
    out: { type: 'string', default: '/tmp/gatehouse-gallery' },
    bare: { type: 'boolean', default: false },
    open: { type: 'boolean', default: false },
  },
})

const views = createViews({ brand: BRAND, issuer: 'https://id.example.org' })
const inline = (markup: string): string =>
  markup.replaceAll(
    /(href|src)="(\/assets\/[^"]+)"/g,
    (_, attribute: string, path: string) => `${attribute}="${dataUri(path)}"`,
  )
const dataUri = (path: string): string => {
  const asset = views.assets.get(path)
  return asset ? `data:${asset.type};base64,${asset.body.toString('base64')}` : path
}

const shots: { file: string; markup: string; locale: string }[] = []
for (const locale of LOCALES.filter((each) => options.locales.split(',').includes(each))) {
  for (const { name, variant, model } of eachPage())
    shots.push({
      file: `${name.replaceAll('/', '-')}.${variant}.${locale}`,
      // Pages that go on by themselves stay.
      markup: inline(views.page(name, model, contextOf(name, { locale }))).replace(
        / data-autosubmit|<meta http-equiv="refresh"[^>]*>/g,
        '',
      ),
      locale,
    })
  for (const { name, variant, model } of eachMail()) {
    const mail = views.mail(name, model, { locale })
    shots.push({ file: `mail-${name}.${variant}.${locale}`, markup: mail.html, locale })
  }
}

const chosen = shots.filter(({ file }) =>
  options.only.split(',').some((part) => file.includes(part)),
)
await mkdir(options.out, { recursive: true })
await Promise.all(
  chosen.map(({ file, markup }) => writeFile(join(options.out, `${file}.html`), markup)),
)
if (!options.bare) await photograph()
console.log(`${chosen.length} pages in ${options.out}`)

async function photograph(): Promise<void> {
  const home = globSync('/tmp/gatehouse-chromium-*').find((folder) =>
    existsSync(join(folder, 'chromium')),
  )
  const given = process.env['CHROME_PATH']
  if (!given && !home)
    throw new Error('no Chromium: run one browser test first, or set CHROME_PATH')
  const env = {
    LD_LIBRARY_PATH: join(home ?? '', 'al2023/lib'),
    FONTCONFIG_FILE: join(home ?? '', 'fonts.conf'),
    HOME: home ?? '/tmp',
  }
  const browser = await chromium.launch({
    ...(given ? { executablePath: given } : { executablePath: join(home ?? '', 'chromium'), env }),
    chromiumSandbox: false,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run'],
  })
  for (const theme of options.themes.split(',') as ('light' | 'dark')[])
    for (const width of options.sizes.split(',').map(Number)) {
      const page = await browser.newPage({
        viewport: { width, height: width < 600 ? 640 : 800 },
        colorScheme: theme,
      })
      for (const { file } of chosen) await shoot(page, file, `${file}.${width}.${theme}`)
      await page.close()
    }
  await browser.close()
}

async function shoot(page: Page, file: string, name: string): Promise<void> {
  await page.goto(`file://${join(options.out, `${file}.html`)}`)
  if (options.open)
    await page.evaluate('for (const each of document.querySelectorAll(`details`)) each.open = true')
  const wide = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
  if (wide) console.log(`${name}: scrolls sideways`)
  await page.screenshot({ path: join(options.out, `${name}.png`), fullPage: true })
}
