import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ApiAnswer, api, startApi } from '../support/api.ts'
import { Authenticator } from '../support/authenticator.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { operator } from '../support/operator.ts'
import { givePasskey, passkeyOwner, passkeySignIn, showPasskey } from '../support/passkeys.ts'
import type { TestServer } from '../support/server.ts'

const RELATED = 'https://app.example.org'
const PACKAGE = 'org.example.diary'
const APPLE = 'A1B2C3D4E5.org.example.diary'
const REDIRECT = 'https://diary.example.org/callback'
const REFUSED = [400, 'passkey_refused']

/** A certificate's digest as operators type it, and as Android says it in a passkey. */
function certificate() {
  const digest = createHash('sha256').update(randomBytes(32)).digest()
  const typed = digest.toString('hex').toUpperCase().match(/../g)?.join(':') ?? ''
  return { typed, origin: `android:apk-key-hash:${digest.toString('base64url')}`, digest }
}

const outcome = ({ status, body }: ApiAnswer) => [status, body.error]

describe('apps on phones, and pages of related origins', () => {
  const own = certificate()
  const shell = operator()
  let server: TestServer
  beforeAll(async () => {
    server = await startApi({ config: { relatedOrigins: [RELATED] } })
  })
  afterAll(() => server.stop())

  const client = (...words: string[]) => shell.run(server, ['client', ...words])
  const register = (id: string, ...words: string[]) =>
    client('create', '--id', id, '--name', id, '--redirect', REDIRECT, ...words)

  async function file(name: string) {
    const path = `${server.origin}/.well-known/${name}`
    const answer = await send(path)
    return {
      status: answer.status,
      type: answer.headers.get('content-type'),
      text: await answer.text(),
      cookies: answer.headers.getSetCookie(),
    }
  }
  const documentOf = async (name: string): Promise<unknown> => {
    const { status, text } = await file(name)
    return status === 200 ? JSON.parse(text) : status
  }

  async function person() {
    const account = await createAccount(server)
    const { authenticator } = await givePasskey(server, account)
    return (origin: string) =>
      passkeySignIn(server, authenticator, { clientData: { origin } }).then(outcome)
  }

  it('has no files, and takes no app, where none is registered', async () => {
    expect(await documentOf('assetlinks.json')).toBe(404)
    expect(await documentOf('apple-app-site-association')).toBe(404)
    expect(await (await person())(own.origin)).toEqual(REFUSED)
  })

  it('publishes the related origins, and takes passkeys from them and from nothing like them', async () => {
    const found = await file('webauthn')
    expect(found).toMatchObject({ status: 200, cookies: [] })
    expect(found.type).toMatch(/^application\/json/)
    expect(JSON.parse(found.text)).toEqual({ origins: [RELATED] })
    const from = await person()
    expect(await from(RELATED)).toEqual([200, undefined])
    for (const origin of [
      `${RELATED}/`,
      `${RELATED}:8443`,
      `${RELATED}.evil.example`,
      'http://app.example.org',
      'https://example.org',
      'https://other.example.org',
      'https://APP.example.org',
      'null',
    ])
      expect([origin, ...(await from(origin))]).toEqual([origin, ...REFUSED])
  })

  it('publishes registered apps, and takes their passkeys and no other app’s', async () => {
    const app = `${PACKAGE}=${own.typed.toLowerCase()}`
    const made = await register('diary', '--first-party', '--native-app', app, APPLE)
    expect([made.code, made.stderr]).toEqual([0, expect.any(String)])
    await eventually(async () => (await file('assetlinks.json')).status, 200)
    expect(await documentOf('assetlinks.json')).toEqual([
      {
        relation: [
          'delegate_permission/common.handle_all_urls',
          'delegate_permission/common.get_login_creds',
        ],
        target: {
          namespace: 'android_app',
          package_name: PACKAGE,
          sha256_cert_fingerprints: [own.typed],
        },
      },
    ])
    const apple = await file('apple-app-site-association')
    expect(apple.type).toMatch(/^application\/json/)
    expect(JSON.parse(apple.text)).toEqual({ webcredentials: { apps: [APPLE] } })

    const from = await person()
    expect(await from(own.origin)).toEqual([200, undefined])
    for (const origin of [
      certificate().origin,
      own.origin.toLowerCase(),
      `${own.origin}=`,
      `android:apk-key-hash:${own.digest.toString('hex')}`,
      `android:apk-key-hash-sha256:${own.digest.toString('base64url')}`,
      'android:apk-key-hash:',
      `ios:bundle-id:${APPLE}`,
      `https://${PACKAGE}`,
    ])
      expect([origin, ...(await from(origin))]).toEqual([origin, ...REFUSED])
  })

  it('adds a passkey that a registered app has made, and none of another app', async () => {
    const owner = await passkeyOwner(server)
    const add = async (origin: string) => {
      const { token, publicKey } = (await api(server, 'POST /passkeys/options', {}, owner)).body
      const credential = new Authenticator(server.origin).register(publicKey, {
        clientData: { origin },
      })
      return outcome(await api(server, 'POST /passkeys', { token, credential }, owner))
    }
    expect(await add(own.origin)).toEqual([200, undefined])
    expect(await add(certificate().origin)).toEqual(REFUSED)
  })

  it('takes no app and no related origin at our own pages', async () => {
    const account = await createAccount(server)
    const { authenticator } = await givePasskey(server, account)
    const enter = async (origin: string) => {
      const lie = { clientData: { origin } }
      const browser = new Browser(server.origin)
      await browser.visit('/account')
      return (await showPasskey(browser, authenticator, lie)).url.pathname
    }
    for (const origin of [own.origin, RELATED])
      expect(await enter(origin)).toMatch(/^\/interaction\//)
    expect(await enter(server.origin)).toBe('/account')
  })

  it('gives passkeys to no app of somebody else', async () => {
    const foreign = certificate()
    const app = ['--native-app', `${PACKAGE}=${foreign.typed}`]
    const refused = await register('theirs', ...app)
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('--native-app: is for'),
    ])
    expect((await client('update', 'diary', '--no-first-party')).code).toBe(1)
    const odd = await register('odd', '--first-party', '--native-app', `${PACKAGE}=AA:BB`)
    expect(odd.stderr).toContain('--native-app (value 1): is no app')
  })

  it.each([
    { android_package: 'nodots', sha256_cert_fingerprints: [own.typed] },
    { android_package: PACKAGE, sha256_cert_fingerprints: [] },
    { android_package: PACKAGE, sha256_cert_fingerprints: [`${own.typed}:AA`] },
    { android_package: PACKAGE, sha256_cert_fingerprints: [own.typed.toLowerCase()] },
    { android_package: PACKAGE, sha256_cert_fingerprints: [own.typed.replaceAll(':', '')] },
    { ios_app_id: 'a1b2c3d4e5.org.example' },
    { ios_app_id: '*' },
    { ios_app_id: APPLE, android_package: PACKAGE },
    null,
    APPLE,
  ])('knows %j for no app', async (app) => {
    const made = server.context.clients.create({
      name: 'Odd',
      redirectUris: [REDIRECT],
      isFirstParty: true,
      nativeApps: [app as never],
    })
    await expect(made).rejects.toMatchObject({
      details: { fields: { 'nativeApps.0': 'bad_native_app' } },
    })
  })

  it('forgets the apps of a client that is disabled, at once', async () => {
    const from = await person()
    expect(await from(own.origin)).toEqual([200, undefined])
    expect((await client('disable', 'diary')).code).toBe(0)
    await eventually(async () => (await file('assetlinks.json')).status, 404)
    expect(await from(own.origin)).toEqual(REFUSED)
    expect((await client('enable', 'diary')).code).toBe(0)
    await eventually(async () => (await from(own.origin))[0], 200)
  })
})
