import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { assets, createViews, type PageName } from '../../src/views/views.ts'
import { chromium } from '../support/chromium.ts'
import { LOCALES } from './languages.ts'
import { BRAND, contextOf, eachPage, pagesOf } from './samples.ts'

const CSP =
  "default-src 'none'; script-src 'self' 'nonce-bm9uY2U'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
const views = createViews({ brand: BRAND, issuer: 'https://id.example.org' })
const { newPage } = chromium()
let server: Server
let origin: string
/** What came in since the test began. */
let requests: { method: string; url: string; body: string }[] = []

/**
 * Serves `/page/<name>/<variant>?<locale>` and the assets under the product's policy, and notes
 * what is posted.
 */
beforeAll(async () => {
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      requests.push({ method: request.method ?? '', url: request.url ?? '', body })
      const asset = assets().get(request.url ?? '')
      response
        .setHeader('Content-Security-Policy', CSP)
        .setHeader('Content-Type', asset?.type ?? 'text/html; charset=utf-8')
      setTimeout(
        () => response.end(asset?.body ?? draw(request.url ?? '')),
        request.method === 'POST' ? 150 : 0,
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
beforeEach(() => {
  requests = []
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

function draw(url: string): string {
  const { pathname, search } = new URL(url, 'http://x')
  const found = eachPage().find(({ name, variant }) => pathname === `/page/${name}/${variant}`)
  const locale = LOCALES.find((each) => search === `?${each}`) ?? 'en'
  return found
    ? views.page(found.name, found.model, contextOf(found.name, { locale }))
    : '<title>posted</title>'
}

const open = async (page: Page, name: PageName, variant = 'plain'): Promise<Page> => {
  await page.goto(`${origin}/page/${name}/${variant}`)
  // The browser gives the focus away when it first paints, which may be after the page has loaded.
  await page.waitForFunction(
    `document.querySelector('[autofocus]') === null || document.activeElement !== document.body`,
  )
  return page
}

describe('every page in Chromium', () => {
  it.each(LOCALES)(
    'UX-38 %s fits 320 px without scrolling sideways, with targets a finger can hit',
    async (locale) => {
      const page = await newPage({ viewport: { width: 320, height: 640 }, locale })
      const faults: string[] = []
      page.on('console', (message) => faults.push(`${page.url()} ${message.text()}`))
      page.on('pageerror', (error) => faults.push(`${page.url()} ${error.message}`))
      for (const { name, variant } of pagesOf(locale)) {
        await page.goto(`${origin}/page/${name}/${variant}?${locale}`)
        const { overflow, small } = await page.evaluate<{ overflow: number; small: string[] }>(
          MEASURE,
        )
        if (overflow > 0) faults.push(`${name} ${variant} scrolls ${overflow} px sideways`)
        faults.push(...small.map((target) => `${name} ${variant} ${target}`))
      }
      expect(faults).toEqual([])
    },
  )

  it.each(LOCALES)('UX-38 %s fits a window of 640 px at a zoom of 200 %%', async (locale) => {
    const page = await newPage({ viewport: { width: 320, height: 256 }, deviceScaleFactor: 2 })
    const wide: string[] = []
    for (const { name, variant } of pagesOf(locale).filter(({ variant }) => variant === 'plain')) {
      await page.goto(`${origin}/page/${name}/${variant}?${locale}`)
      if (await page.evaluate('document.documentElement.scrollWidth > innerWidth')) wide.push(name)
    }
    expect(wide).toEqual([])
  })

  it('UX-11 opens where it begins: nothing below the fold takes the focus, and on a phone the app comes before the picture', async () => {
    const page = await newPage({ viewport: { width: 320, height: 640 } })
    const faults: string[] = []
    for (const { name, variant } of eachPage()) {
      if (name === 'pages/form-post' || name === 'pages/leaving') continue
      await page.goto(`${origin}/page/${name}/${variant}`)
      const { scrolled, focus } = await page.evaluate<{ scrolled: number; focus: number }>(
        '({ scrolled: scrollY, focus: document.activeElement === document.body ? 0 : document.activeElement.getBoundingClientRect().bottom })',
      )
      if (scrolled > 0 || focus > 640)
        faults.push(`${name} ${variant} is scrolled by ${scrolled}, its focus ends at ${focus}`)
    }
    expect(faults).toEqual([])
    const places = (): Promise<number[]> =>
      page.evaluate(
        `['a[href^=otpauth]', '.qr'].map((part) => document.querySelector(part).getBoundingClientRect().top)`,
      )
    await open(page, 'interaction/mfa-enrol')
    const [linkOnPhone = 0, pictureOnPhone = 0] = await places()
    await page.setViewportSize({ width: 1280, height: 800 })
    const [link = 0, picture = 0] = await places()
    expect([linkOnPhone < pictureOnPhone, link < picture]).toEqual([true, false])
  })

  it('UX-38 has a dark theme, by the system or by choice, and keeps still for those who ask', async () => {
    const background = (page: Page): Promise<string> =>
      page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
    const light = await open(await newPage({ colorScheme: 'light' }), 'interaction/login')
    const dark = await open(
      await newPage({ colorScheme: 'dark', reducedMotion: 'reduce' }),
      'interaction/login',
    )
    expect([await background(light), await background(dark)]).toEqual([
      'rgb(251, 250, 247)',
      'rgb(18, 20, 19)',
    ])
    expect(
      await dark.evaluate(`getComputedStyle(document.querySelector('.button')).transitionDuration`),
    ).toBe('0s')
    await light.evaluate(`document.documentElement.dataset.theme = 'dark'`)
    await dark.evaluate(`document.documentElement.dataset.theme = 'light'`)
    expect([await background(light), await background(dark)]).toEqual([
      'rgb(18, 20, 19)',
      'rgb(251, 250, 247)',
    ])
  })

  it('UX-18 loads a login page in three requests', async () => {
    const page = await newPage()
    await page.goto(`${origin}/page/interaction/login/plain`, { waitUntil: 'networkidle' })
    expect(requests.map(({ url }) => url.replace(/\.[\w-]{12}\./, '.'))).toEqual([
      '/page/interaction/login/plain',
      '/assets/gatehouse.css',
      '/assets/gatehouse.js',
    ])
  })
})

/**
 * Runs in the page: pixels beyond the window, and targets below 24 px (44 for fields and the
 * primary action).
 */
const MEASURE = `(() => {
  for (const folded of document.querySelectorAll('.language')) folded.open = true
  // A link within a sentence is as high as its line (WCAG 2.5.8, inline).
  const isInText = (link) => [...link.parentElement.childNodes].some(({ nodeType, textContent }) => nodeType === 3 && textContent.trim().length > 1)
  const targets = [...document.querySelectorAll('button, select, input, summary, label, a[href]')].filter(
    (each) => !(each.matches('a:not(.tap, .button)') && isInText(each)),
  )
  const small = targets.flatMap((target) => {
    const { width, height } = target.getBoundingClientRect()
    const isUnseen = width === 0 || target.matches('.offscreen, .field label, .skip')
    const least = target.matches('.primary, input:not([type=checkbox]), select') ? 44 : 24
    return isUnseen || (width >= 24 && height >= least) ? [] : [target.outerHTML.slice(0, 80) + ' is ' + width + ' x ' + height]
  })
  return { overflow: document.documentElement.scrollWidth - window.innerWidth, small }
})()`

describe('a keyboard is enough', () => {
  it('UX-40 goes through the login in the order it is read, and Enter sends it', async () => {
    const page = await open(await newPage(), 'interaction/login')
    const order: string[] = []
    for (let step = 0; step < 9; step++) {
      order.push(
        await page.evaluate(
          `(({ id, textContent, className }) => id || textContent.trim() || className)(document.activeElement)`,
        ),
      )
      await page.keyboard.press('Tab')
    }
    expect(order).toEqual([
      'username',
      'password',
      'reveal',
      'remember',
      'sign-in',
      'Forgot password?',
      'I cannot use my passkey',
      'Create an account',
      'leave',
    ])
    await page.fill('#username', 'ada@example.org')
    await page.fill('#password', 'correct horse')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/interaction/abc/login')
    expect(requests.at(-1)).toMatchObject({
      method: 'POST',
      body: '_csrf=csrf-token&passkeys=&username=ada%40example.org&password=correct+horse',
    })
  })

  it('UX-38 shows where the focus is', async () => {
    const page = await open(await newPage(), 'interaction/login')
    await page.keyboard.press('Tab')
    const outline = (): Promise<string> =>
      page.evaluate('getComputedStyle(document.activeElement).outlineStyle')
    for (let step = 0; step < 9; step++) {
      expect(await outline()).toBe('solid')
      await page.keyboard.press('Tab')
    }
  })

  it('UX-11 puts the focus on what went wrong, and its link on the field', async () => {
    const page = await open(await newPage(), 'interaction/login', 'wrong')
    expect(await page.evaluate(`document.activeElement.getAttribute('role')`)).toBe('alert')
    expect(await page.title()).toMatch(/^Error: /)
    await page.click('[role=alert] a')
    expect(await page.evaluate('document.activeElement.id')).toBe('password')
  })
})

describe('the conveniences of the script', () => {
  it('UX-8 shows a password while its button is pressed, and hides it before it is sent', async () => {
    const page = await open(await newPage(), 'interaction/login')
    const type = (): Promise<string | null> => page.getAttribute('#password', 'type')
    const reveal = page.getByRole('button', { name: 'Show password' })
    expect(await reveal.getAttribute('aria-pressed')).toBe('false')
    expect(await reveal.getAttribute('aria-controls')).toBe('password')
    await reveal.click()
    expect([await type(), await reveal.getAttribute('aria-pressed')]).toEqual(['text', 'true'])
    await page.evaluate(`document.addEventListener('submit', (event) => {
      event.preventDefault()
      document.title = document.getElementById('password').type
    })`)
    await page.fill('#username', 'ada@example.org')
    await page.fill('#password', 'x')
    await page.click('.primary')
    expect(await page.title()).toBe('password')
  })

  it('UX-7 takes what is pasted, spaces and all', async () => {
    const page = await open(await newPage(), 'interaction/verify-email')
    await page.evaluate(`(() => {
      const field = document.getElementById('code')
      const clipboardData = new DataTransfer()
      clipboardData.setData('text/plain', ' 123 456 ')
      const isTaken = field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
      if (isTaken) field.value = clipboardData.getData('text/plain')
    })()`)
    await page.click('.primary')
    await page.waitForURL('**/verify-email')
    expect(requests.at(-1)?.body).toBe('_csrf=csrf-token&passkeys=&code=+123+456+')
  })

  it('UX-26 counts down until a code can be sent again', async () => {
    const page = await newPage()
    // It moves by hand only, however busy the machine is.
    await page.clock.install({ time: '2030-01-01T00:00:00Z' })
    await page.clock.pauseAt('2030-01-01T00:00:01Z')
    await open(page, 'interaction/verify-email')
    const again = page.locator('button[data-wait]')
    expect(await again.textContent()).toBe('Send it again in 30 s')
    await again.click({ force: true })
    expect(requests.filter(({ method }) => method === 'POST')).toEqual([])
    await page.clock.runFor(12_000)
    expect(await again.textContent()).toBe('Send it again in 18 s')
    await page.clock.runFor(20_000)
    expect(await again.textContent()).toBe('Send it again')
    await again.click()
    await page.waitForURL('**/resend')
    expect(requests.filter(({ method }) => method === 'POST')).toHaveLength(1)
  })

  it('UX-15 sends a form once, however often its button is pressed', async () => {
    const page = await open(await newPage(), 'interaction/verify-email')
    await page.fill('#code', '123456')
    await page.evaluate(
      `for (let press = 0; press < 5; press++) document.querySelector('.primary').click()`,
    )
    await page.waitForURL('**/verify-email')
    expect(requests.filter(({ method }) => method === 'POST')).toHaveLength(1)
  })

  it('UX-24 copies, prints and downloads recovery codes', async () => {
    const page = await newPage({ permissions: ['clipboard-read', 'clipboard-write'] })
    await open(page, 'account/recovery-codes', 'fresh')
    await page.getByRole('button', { name: 'Copy' }).click()
    await page.getByRole('button', { name: 'Copied' }).waitFor()
    expect(
      (await page.evaluate<string>('navigator.clipboard.readText()')).trim().split(/\s+/),
    ).toHaveLength(10)
    expect(await page.getByRole('button', { name: 'Print' }).isVisible()).toBe(true)
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('a[download]')])
    expect(download.suggestedFilename()).toBe('recovery-codes.txt')
  })

  it('UX-23 copies the key without its spaces', async () => {
    const page = await newPage({ permissions: ['clipboard-read', 'clipboard-write'] })
    await open(page, 'account/mfa-enrol')
    await page.getByRole('button', { name: 'Copy' }).click()
    await page.getByRole('button', { name: 'Copied' }).waitFor()
    expect(await page.evaluate<string>('navigator.clipboard.readText()')).toBe(
      'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
    )
  })
})

describe('UX-39 another language', () => {
  it('keeps what was typed, but no password, and only for the page it was typed on', async () => {
    const page = await open(await newPage(), 'interaction/sign-up')
    const values = () =>
      page.evaluate(`['name', 'email', 'password'].map((id) => document.getElementById(id).value)`)
    await page.fill('#name', 'Ada')
    await page.fill('#email', 'ada@example.org')
    await page.fill('#password', 'correct horse battery')
    await page.locator('.language summary').click()
    await page.getByRole('button', { name: 'Deutsch' }).click()
    await page.waitForURL('**/locale?**')
    expect(await page.evaluate('sessionStorage.typed')).not.toContain('correct horse')
    await open(page, 'interaction/sign-up')
    expect(await values()).toEqual(['Ada', 'ada@example.org', ''])
    await open(page, 'interaction/sign-up')
    expect(await values()).toEqual(['', '', ''])
  })
})

describe('UX-16 without JavaScript', () => {
  it('has no button that could do nothing, and sends its forms', async () => {
    const page = await newPage({ javaScriptEnabled: false })
    await open(page, 'account/recovery-codes', 'fresh')
    expect(await page.getByRole('button', { name: /Copy|Print/ }).count()).toBe(0)
    await open(page, 'interaction/verify-email')
    expect(await page.locator('button[data-wait]').textContent()).toBe('Send it again')
    await page.locator('button[data-wait]').click()
    await page.waitForURL('**/resend')
    await open(page, 'interaction/login')
    expect(await page.locator('.reveal').count()).toBe(0)
    await page.fill('#username', 'ada@example.org')
    await page.fill('#password', 'x')
    await page.check('#remember')
    await page.click('.primary')
    await page.waitForURL('**/interaction/abc/login')
    expect(requests.at(-1)?.body).toContain('remember=yes')
  })

  it('UX-39 changes the language by a button that keeps the place', async () => {
    const page = await open(await newPage({ javaScriptEnabled: false }), 'interaction/login')
    await page.locator('.language summary').click()
    await page.getByRole('button', { name: 'Deutsch' }).click()
    await page.waitForURL('**/locale?**')
    expect(requests.at(-1)?.url).toBe('/locale?return_to=%2Finteraction%2Fabc%2Flogin&lang=de')
  })
})
