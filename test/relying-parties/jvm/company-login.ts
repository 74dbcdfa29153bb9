import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ACR } from '../../../src/accounts/factors/levels.ts'
import type { Browser } from '../../support/browser.ts'
import { run, type Settings } from '../../support/commands.ts'
import { sqlOf } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { createAccount } from '../../support/factories.ts'
import { LOOPBACK_CERTIFICATE } from '../../support/loopback-certificate.ts'
import { operator } from '../../support/operator.ts'
import { enter, signedIn } from '../../support/people.ts'
import { relyingParty } from '../../support/relying-party.ts'
import { atLogin, comeBy, connect } from '../../support/upstream/coming.ts'
import { TO_LOOPBACK } from '../../support/upstream/tls.ts'
import { useServer } from '../../support/use-server.ts'
import { type Employee, KEYCLOAK_VERSION, Keycloak } from './keycloak.ts'

const START_MS = 300_000
const CONNECTIONS = '/account/connections'
const OURS = 'urn:gatehouse:amr:upstream'
const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'

/** People of a company sign in here by its Keycloak, as the documentation of both has it. */
export function companyLogin(): void {
  describe(`Keycloak ${KEYCLOAK_VERSION} as the login of a company`, () => {
    const shell = operator()
    const server = useServer({ outgoing: TO_LOOPBACK, config: { trustedProxyHops: 1 } })
    const sql = sqlOf(server)
    let keycloak: Keycloak
    let env: Settings

    beforeAll(async () => {
      keycloak = await Keycloak.start()
      const ca = join(shell.folder, 'ca.pem')
      await writeFile(ca, LOOPBACK_CERTIFICATE)
      const reaches = { OUTGOING_LOOPBACK_FOR_TESTS: 'true', NODE_EXTRA_CA_CERTS: ca }
      env = { ...shell.settings(server), ...reaches }
      await register('acme')
      await register('trusted', '--trust-amr')
    }, START_MS)
    afterAll(() => keycloak[Symbol.asyncDispose]())

    async function command(words: string, stdin = ''): Promise<Settings> {
      const done = await run(['provider', ...words.split(' '), '--json'], env, { stdin })
      expect([done.code, done.stderr]).toEqual([0, ''])
      return JSON.parse(done.stdout) as Settings
    }

    async function register(id: string, more = ''): Promise<void> {
      const secret = randomBytes(24).toString('base64url')
      const facts = `--type oidc --id ${id} --name ${id} --issuer ${keycloak.issuer}`
      const client = `--client-id gatehouse-${id} --client-secret-file - --email-trust claim`
      const printed = await command(`create ${facts} ${client} ${more}`.trim(), secret)
      await keycloak.addClient(`gatehouse-${id}`, secret, printed)
      await eventually(async () => (await server.context.providers.find(id))?.id, id)
    }

    /** In a new browser here, and in one that the company may know already. */
    async function come(person: Employee, there?: Browser): Promise<Browser> {
      const browser = await atLogin(server)
      await comeBy(browser, keycloak.as(person, there))
      return browser
    }
    const isSignedIn = async (browser: Browser) =>
      (await browser.visit('/account')).step !== 'login'
    const accountsOf = async ({ email }: Employee) =>
      (await sql('select id from account where email = $1', [email])).length

    it('is registered by the command, and knows this server', async () => {
      expect(await command('check acme')).toEqual({
        id: 'acme',
        ok: true,
        issuer: keycloak.issuer,
        client_known: true,
      })
    })

    it('makes an account at the first meeting, and opens it from then on', async () => {
      const person = await keycloak.hire()
      const first = await come(person)
      expect([first.page.url.pathname, first.page.h1]).toEqual(['/account', 'Hello, Ada Lovelace'])
      const again = await come(person)
      expect([again.page.url.pathname, again.page.h1]).toEqual(['/account', 'Hello, Ada Lovelace'])
      expect(await accountsOf(person)).toBe(1)
    })

    it('vouches for no address that it has not verified: that is proven here', async () => {
      const person = await keycloak.hire({ isVerified: false })
      const browser = await come(person)
      expect(browser.page.url.pathname).toMatch(/\/arrival-code$/)
      expect(await accountsOf(person)).toBe(0)
      await browser.submit('/arrival-code', { code: await server.inbox.code(person.email) })
      expect(browser.page.url.pathname).toBe('/account')
    })

    it('opens an account of the same address once its owner has proven it and pressed', async () => {
      const person = await keycloak.hire()
      const account = await createAccount(server, { email: person.email })
      const browser = await come(person)
      expect(browser.page.words).toContain('There is an account with your address already')
      await enter(browser, account)
      expect(browser.page.url.pathname).toMatch(/\/connect$/)
      await browser.submit('/connect')
      expect(browser.page.url.pathname).toBe('/account')
      expect((await come(person)).page.url.pathname).toBe('/account')
      expect(await accountsOf(person)).toBe(1)
    })

    it('is connected, disconnected and connected again at the account pages', async () => {
      const person = await keycloak.hire()
      const { browser, account } = await signedIn(server)
      const own = keycloak.as(person, keycloak.browser())
      expect((await connect(browser, own)).words).toContain('It is connected.')
      expect((await server.inbox.next(account.email)).text).toContain('This wasn’t me')
      await browser.visit(CONNECTIONS)
      expect((await browser.submit(`${CONNECTIONS}/remove`)).words).toContain('It is disconnected.')
      expect((await connect(browser, own)).words).toContain('It is connected.')
      expect((await come(person)).page.words).toContain(account.email)
    })

    it('ends the session here by a sign-out there, and no other of the person', async () => {
      const person = await keycloak.hire()
      const [there, elsewhere] = [keycloak.browser(), keycloak.browser()]
      const here = await come(person, there)
      const other = await come(person, elsewhere)
      await keycloak.signOut(there)
      await eventually(() => isSignedIn(here), false)
      expect(await isSignedIn(other)).toBe(true)
    })

    it('counts as what its realm says of a sign-in, if it is trusted', async () => {
      const app = await relyingParty(server, { firstParty: true })
      /** Of a sign-in to an app that asks for two factors. */
      const tell = async (id: string, person: Employee) => {
        const browser = await atLogin(server)
        await browser.visit(app.authorizationUrl({ acr_values: ACR.multiFactor }))
        await comeBy(browser, keycloak.as(person), id)
        if (!browser.page.isForeign) return browser.page.step
        const claims = (await app.redeem(browser.page.url)).claims()
        return { acr: claims?.acr, amr: claims?.['amr'] }
      }
      const careful = await keycloak.hire({ secret: SECRET })
      expect(await tell('trusted', careful)).toBe('mfa-enrol')

      await keycloak.nameSteps({ 'auth-username-password-form': 'pwd', 'auth-otp-form': 'mfa' })
      const next = await keycloak.hire({ secret: SECRET })
      const two = { acr: ACR.multiFactor, amr: [OURS, 'pwd', 'mfa'] }
      expect(await tell('trusted', next)).toEqual(two)
      expect(await tell('trusted', await keycloak.hire())).toBe('mfa-enrol')
      expect(await tell('acme', await keycloak.hire({ secret: SECRET }))).toBe('mfa-enrol')
    })
  })
}
