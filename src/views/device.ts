import bowser from 'bowser'
import type { Translator } from './translator.ts'

const BROWSERS: ReadonlySet<string> = new Set(Object.values(bowser.BROWSER_MAP))
const SYSTEMS: ReadonlySet<string> = new Set(Object.values(bowser.OS_MAP))

/**
 * "Firefox on Windows". Only names that the library knows: for other agents it repeats what the
 * caller wrote.
 */
export function deviceName(userAgent: string | undefined, { t }: Pick<Translator, 't'>): string {
  const agent = (userAgent ?? '').slice(0, 512)
  if (agent === '') return t('device.unknown')
  const parsed = bowser.parse(agent)
  const browser =
    parsed.browser.name && BROWSERS.has(parsed.browser.name) ? parsed.browser.name : undefined
  const system = parsed.os.name && SYSTEMS.has(parsed.os.name) ? parsed.os.name : undefined
  if (browser && system) return t('device.browserOnSystem', { browser, system })
  return browser ?? system ?? t('device.unknown')
}
