import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-check-'))
afterAll(() => rmSync(folder, { recursive: true }))

function check(...args: readonly string[]): { status: number | null; lines: string[] } {
  const command = join(import.meta.dirname, 'check-locales.ts')
  const { status, stdout } = spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' })
  return { status, lines: stdout.trim().split('\n') }
}

describe('UX-39 npm run check:locales', () => {
  beforeAll(() => {
    const words = {
      action: { save: 'Save everything that was entered' },
      login: { title: 'TODO', titel: 'x', newHere: '<i>New?' },
      page: { continueTo: 'Continue' },
      reason: { invalid_url: 'https://' },
      overview: { appCount: { one: '{count}', other: '{count}' } },
    }
    const head = { tag: 'ar', name: 'x', dir: 'rtl', status: 'partial' }
    writeFileSync(join(folder, 'ar.json'), JSON.stringify({ _: head, ...words }))
    writeFileSync(join(folder, 'broken.json'), '{')
    const whole = { _: { ...head, status: 'complete' }, login: { title: 'x' } }
    writeFileSync(join(folder, 'whole.json'), JSON.stringify(whole))
  })

  it('names the file, the key and the fault of each, and fails', () => {
    const { status, lines } = check(folder)
    expect(status).toBe(1)
    const [title, ...faults] = lines.slice(0, lines.indexOf(`${folder}/broken.json is not JSON`))
    expect(title).toMatch(/^ar\.json: 6 of \d+ texts$/)
    expect(faults.map((fault) => fault.trim())).toEqual([
      'login.titel is no key of the English texts',
      'login.newHere has markup, texts are plain',
      'page.continueTo has the places (none), English has {app}',
      'overview.appCount.zero is missing, a plural form of ar',
      'overview.appCount.two is missing, a plural form of ar',
      'overview.appCount.few is missing, a plural form of ar',
      'overview.appCount.many is missing, a plural form of ar',
      'reason.invalid_url has an address, URL or number outside of U+2066 and U+2069',
      'login.title has a note to translators',
      'action.save is a button of 32 characters, 12 fit',
    ])
    expect(lines).toContain('  login.forgot is missing; or say "status": "partial"')
  })

  it('passes our own', () => {
    expect(check().status).toBe(0)
  })
})
