import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { buildConfig } from '../../src/config/config.ts'
import { readEnv } from '../../src/config/env.ts'
import { Browser } from '../support/browser.ts'
import { TEST_SECRETS } from '../support/secrets.ts'
import { startServer } from '../support/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-languages-'))
afterAll(() => rmSync(folder, { recursive: true }))

function configured(words: Readonly<Record<string, unknown>>) {
  const head = { tag: 'sw', name: 'Kiswahili', dir: 'ltr', status: 'partial' }
  writeFileSync(join(folder, 'sw.json'), JSON.stringify({ _: head, ...words }))
  const { localesDir } = buildConfig(readEnv({ LOCALES_DIR: folder }), {
    databaseUrl: 'postgres://unused',
    embedded: false,
    secrets: TEST_SECRETS,
  })
  return { config: { localesDir } }
}

describe('UX-39 LOCALES_DIR', () => {
  it('adds a language to the pages, their picker and the metadata', async () => {
    await using server = await startServer(configured({ login: { title: 'Ingia' } }))
    const browser = new Browser(server.origin, { headers: { 'accept-language': 'sw-KE' } })
    const page = await browser.visit(`${server.origin}/login`)
    expect(page.h1).toBe('Ingia')
    expect(page.text).toMatch(/value="sw" lang="sw" aria-current="true">Kiswahili/)
    const metadata = await fetch(`${server.origin}/.well-known/openid-configuration`)
    expect(await metadata.json()).toMatchObject({
      ui_locales_supported: expect.arrayContaining(['en', 'sw']),
    })
  })

  it('with a file that is wrong stops the start', async () => {
    await expect(startServer(configured({ login: { titel: 'Ingia' } }))).rejects.toThrow(
      `${folder}/sw.json: login.titel is no key of the English texts`,
    )
  })
})
