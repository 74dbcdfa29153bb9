import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll } from '@jest/globals'
import {
  type Browser,
  type BrowserContextOptions,
  chromium as engine,
  type LaunchOptions,
  type Page,
} from 'playwright-core'
import { note } from './notes.ts'

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const INSTALLED = [
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:/Program Files/Google/Chrome/Application/chrome.exe',
]

export interface Chromium {
  /** A page in a browser profile of its own, closed at the end of the file. */
  newPage(options?: BrowserContextOptions): Promise<Page>
  readonly browser: () => Promise<Browser>
}

/** Call it once at the top of a test file: Chromium starts with the first page and ends with the file. */
export function chromium(): Chromium {
  let launched: Promise<Browser> | undefined
  const browser = () => {
    launched ??= launch()
    return launched
  }
  afterAll(async () => {
    await (await launched)?.close()
  })
  return {
    browser,
    async newPage(options = {}) {
      const context = await (await browser()).newContext({
        locale: 'en-GB',
        viewport: { width: 1280, height: 800 },
        ...options,
      })
      context.setDefaultTimeout(10_000)
      return context.newPage()
    },
  }
}

async function launch(): Promise<Browser> {
  const given =
    process.env['CHROME_PATH'] ??
    (bundledFits() ? undefined : INSTALLED.find((path) => existsSync(path)))
  const options: LaunchOptions = given ? { executablePath: given } : await bundled()
  const browser = await engine.launch({
    ...options,
    headless: true,
    chromiumSandbox: false,
    args: ARGS,
  })
  note('browser', `${given ?? 'bundled Chromium'} ${browser.version()}`)
  return browser
}

const bundledFits = () => process.platform === 'linux' && process.arch === 'x64'

/**
 * Unpacks the Chromium of @sparticuz/chromium once per version and user, with its own NSS libraries
 * and fonts: nothing of the system is needed.
 */
async function bundled(): Promise<LaunchOptions> {
  const manifest = createRequire(import.meta.url)
    .resolve('@sparticuz/chromium')
    .replace(/build.index\.js$/, 'package.json')
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string }
  const home = join(tmpdir(), `gatehouse-chromium-${version}-${process.getuid?.() ?? 0}`)
  if (!existsSync(home)) await unpack(home)
  return {
    executablePath: join(home, 'chromium'),
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      LD_LIBRARY_PATH: join(home, 'al2023', 'lib'),
      FONTCONFIG_FILE: join(home, 'fonts.conf'),
    },
  }
}

/**
 * In a process of its own, because the package unpacks to TMPDIR; renamed when whole, so that
 * parallel test files do not meet a torso.
 */
async function unpack(home: string): Promise<void> {
  const fresh = await mkdtemp(`${home}-`)
  const script = `import chromium from '@sparticuz/chromium'; await chromium.executablePath()`
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    TMPDIR: fresh,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  }
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env,
    cwd: join(import.meta.dirname, '../..'),
  })
  const folders = [join(home, 'fonts'), '/usr/share/fonts']
    .map((folder) => `<dir>${folder}</dir>`)
    .join('')
  await writeFile(
    join(fresh, 'fonts.conf'),
    `<?xml version="1.0"?><fontconfig>${folders}<cachedir>${join(home, 'cache')}</cachedir></fontconfig>\n`,
  )
  await rename(fresh, home).catch(async (error: unknown) => {
    await rm(fresh, { recursive: true, force: true })
    if (!existsSync(home)) throw error
  })
}
