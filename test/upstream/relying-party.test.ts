import { afterEach, describe, expect, it } from '@jest/globals'
import type { ProviderKindName } from '../../src/entities/provider.ts'
import { createGuardedFetch } from '../../src/outgoing/guarded-fetch.ts'
import { RelyingParty } from '../../src/upstream/relying-party.ts'
import { FakeGitHub, GITHUB_CLIENT } from '../support/upstream/fake-github.ts'
import { HOSTILE_CLIENT, HostileOp, type Lies } from '../support/upstream/hostile-op.ts'
import {
  box,
  relyingParty as party,
  liveProvider as provider,
  reasonOf,
  redirectUri,
  signIn,
} from '../support/upstream/sign-in.ts'
import { TlsSite, TO_LOOPBACK } from '../support/upstream/tls.ts'

describe('an OpenID provider', () => {
  const op = HostileOp.use()
  afterEach(() => {
    op.lies = {}
    op.person = { sub: 'mallory', email: 'mallory@example.net', email_verified: true, name: 'M' }
  })
  const acme = (settings: object = {}, kind: ProviderKindName = 'oidc') =>
    provider(kind, op.issuer, HOSTILE_CLIENT, settings)

  it('UP-01 says who came: issuer, subject, and what else it tells', async () => {
    op.person = {
      ...op.person,
      sid: 's1',
      amr: ['mfa'],
      picture: 'https://a.example/x.png',
    }
    expect(await signIn(acme({ emailTrust: 'claim' }), op)).toEqual({
      issuer: op.issuer,
      subject: 'mallory',
      email: 'mallory@example.net',
      emailProven: true,
      name: 'M',
      picture: 'https://a.example/x.png',
      amr: [],
      sid: 's1',
    })
  })

  it('asks by PKCE with S256, state and nonce', async () => {
    const { url } = await party().begin(acme(), {
      state: 's',
      nonce: 'n',
      redirectUri,
      maxAge: 60,
      acrValues: 'phr',
      again: true,
      loginHint: 'a@b.example',
    })
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      response_type: 'code',
      client_id: HOSTILE_CLIENT.id,
      redirect_uri: redirectUri,
      scope: 'openid email profile',
      state: 's',
      nonce: 'n',
      code_challenge_method: 'S256',
      max_age: '60',
      acr_values: 'phr',
      prompt: 'select_account',
      login_hint: 'a@b.example',
    })
    expect(url.searchParams.get('code_challenge')).toMatch(/^[\w-]{43}$/)
  })

  it.each<[string, Lies, string]>([
    ['another issuer', { claims: { iss: 'https://other.example' } }, 'claims'],
    ['no issuer', { claims: { iss: undefined } }, 'claims'],
    ['another audience', { claims: { aud: 'somebody-else' } }, 'claims'],
    ['two audiences without azp', { claims: { aud: [HOSTILE_CLIENT.id, 'other'] } }, 'claims'],
    ['another nonce', { claims: { nonce: 'of another flow' } }, 'claims'],
    ['no nonce', { claims: { nonce: undefined } }, 'claims'],
    ['no subject', { claims: { sub: undefined } }, 'claims'],
    ['an end that is past', { claims: { exp: 1_000_000 } }, 'claims'],
    ['a foreign key', { signature: 'foreign' }, 'signature'],
    ['no signature', { signature: 'none' }, 'signature'],
    ['a signature by the client secret', { signature: 'HS256' }, 'signature'],
    [
      'an issuer in the callback that is another',
      { callback: { iss: 'https://other.example' } },
      'callback',
    ],
    [
      'no issuer in the callback, though it sends one',
      { callback: { iss: undefined } },
      'callback',
    ],
    ['another state', { callback: { state: 'of another flow' } }, 'callback'],
    ['no state', { callback: { state: undefined } }, 'callback'],
    ["a code that is another's", { callback: { code: 'made up' } }, 'code'],
    ['no ID token', { token: { body: { access_token: 'a', token_type: 'Bearer' } } }, 'code'],
    ['a subject that is too long', { claims: { sub: 'x'.repeat(256) } }, 'profile'],
    ['a subject with a NUL', { claims: { sub: 'a\u0000b' } }, 'profile'],
    ['an error that it made up', { callback: { code: undefined, error: 'teapot' } }, 'refused'],
  ])('UP-06 refuses %s', async (_what, lies, reason) => {
    op.lies = lies
    expect(await reasonOf(signIn(acme(), op))).toEqual([reason, 'upstream_invalid'])
  })

  it('UP-06 refuses userinfo of another subject (CVE-2026-134312)', async () => {
    op.person = { sub: 'mallory' }
    op.lies = { userinfo: { sub: 'victim', email: 'victim@example.org', email_verified: true } }
    expect(await reasonOf(signIn(acme(), op))).toEqual(['claims', 'upstream_invalid'])
  })

  it('never takes an address from one document and the word on it from another', async () => {
    op.person = { sub: 'mallory', email_verified: true }
    op.lies = { userinfo: { sub: 'mallory', email: 'victim@example.org' } }
    expect(await signIn(acme({ emailTrust: 'claim' }), op)).toMatchObject({
      email: 'victim@example.org',
      emailProven: false,
    })
    op.person = { sub: 'mallory', email: 'victim@example.org' }
    op.lies = { userinfo: { sub: 'mallory', email: 'm@example.net', email_verified: true } }
    expect(await signIn(acme({ emailTrust: 'claim' }), op)).toMatchObject({
      email: 'victim@example.org',
      emailProven: false,
    })
  })

  it.each([
    [true, true],
    [false, false],
    [undefined, false],
    ['true', false],
    ['false', false],
    [1, false],
  ])('UP-01 email_verified %p proves the address: %p', async (verified, isProven) => {
    op.person = { sub: 'm', name: 'M', email: 'victim@example.org', email_verified: verified }
    const trusting = await signIn(acme({ emailTrust: 'claim' }), op)
    expect(trusting.emailProven).toBe(isProven)
    expect((await signIn(acme(), op)).emailProven).toBe(false)
    const ofDomain = acme({ emailTrust: 'domains', domains: ['example.org'] })
    expect((await signIn(ofDomain, op)).emailProven).toBe(isProven)
    const ofOther = acme({ emailTrust: 'domains', domains: ['example.net'] })
    expect((await signIn(ofOther, op)).emailProven).toBe(false)
  })

  it('takes its word on how the person signed in only where it is trusted', async () => {
    op.person = { ...op.person, amr: ['pwd', 'mfa', 7] }
    expect((await signIn(acme(), op)).amr).toEqual([])
    expect((await signIn(acme({ trustAmr: true }), op)).amr).toEqual(['pwd', 'mfa'])
  })

  it.each([
    ['access_denied', ['cancelled', 'upstream_cancelled']],
    ['login_required', ['start_again', 'upstream_cancelled']],
    ['temporarily_unavailable', ['busy', 'upstream_unavailable']],
  ])('is told of %s', async (error, expected) => {
    op.lies = { callback: { code: undefined, error, error_description: '<b>rude</b>' } }
    expect(await reasonOf(signIn(acme(), op))).toEqual(expected)
  })

  it('is for the operator to mend where the secret is wrong', async () => {
    const wrong = provider('oidc', op.issuer, { ...HOSTILE_CLIENT, secret: 'wrong' })
    expect(await reasonOf(signIn(wrong, op))).toEqual(['client_refused', 'upstream_unavailable'])
  })

  it('UP-08 reaches no address that is not allowed, whatever its metadata say', async () => {
    const guarded = new RelyingParty({
      box,
      fetch: createGuardedFetch({
        ...TO_LOOPBACK,
        isAllowed: (address, url) => address === '127.0.0.1' && url.origin === op.issuer,
      }),
    })
    op.person = { sub: 'mallory' }
    op.lies = { metadata: { userinfo_endpoint: 'https://169.254.169.254/latest' } }
    expect(await reasonOf(signIn(acme(), op, { party: guarded }))).toEqual([
      'unreachable',
      'upstream_unavailable',
    ])
  })

  it('is asked for its addresses once, and serves from memory when it gives none any more', async () => {
    const relyingParty = party()
    const from = acme()
    const asked = (path: string) => op.site.asked.filter(({ url }) => url.pathname === path).length
    const [metadata, keys] = [asked('/.well-known/openid-configuration'), asked('/jwks')]
    for (let time = 0; time < 3; time++) await signIn(from, op, { party: relyingParty })
    expect(asked('/.well-known/openid-configuration') - metadata).toBe(1)
    expect(asked('/jwks') - keys).toBe(1)
  })
})

describe('Google', () => {
  const op = HostileOp.use()

  it.each([
    [{ email: 'ada@gmail.com', email_verified: true }, true],
    [{ email: 'ada@corp.example', email_verified: true, hd: 'corp.example' }, true],
    [{ email: 'ada@corp.example', email_verified: true }, false],
    [{ email: 'ada@corp.example', email_verified: true, hd: 'other.example' }, false],
    [{ email: 'ada@gmail.com', email_verified: 'true' }, false],
    [{ email: 'ada@evilgmail.com', email_verified: true }, false],
  ])('%j proves its address: %p', async (claims, isProven) => {
    op.person = { sub: '1', name: 'Ada', ...claims }
    const google = provider('google', op.issuer, HOSTILE_CLIENT)
    expect((await signIn(google, op)).emailProven).toBe(isProven)
  })

  it('UP-06 signs under its old name, too, and under no third; who came stays the same person', async () => {
    const google = provider('google', op.issuer, HOSTILE_CLIENT)
    op.person = { sub: '1', name: 'Ada', email: 'ada@gmail.com', email_verified: true }
    const asked = () => op.site.asked.filter(({ url }) => url.pathname === '/token').length
    const before = asked()
    op.lies = { claims: { iss: op.issuer.replace('https://', '') } }
    expect(await signIn(google, op)).toMatchObject({ issuer: op.issuer, subject: '1' })
    expect(asked() - before).toBe(1)
    for (const iss of ['accounts.example', `${op.issuer}/`, `http://${new URL(op.issuer).host}`]) {
      op.lies = { claims: { iss } }
      expect(await reasonOf(signIn(google, op))).toEqual(['claims', 'upstream_invalid'])
    }
    const iss = op.issuer.replace('https://', '')
    for (const more of [{ nonce: 'another' }, { aud: 'another' }, { exp: 1 }]) {
      op.lies = { claims: { iss, ...more } }
      expect(await reasonOf(signIn(google, op))).toEqual(['claims', 'upstream_invalid'])
    }
    op.lies = { claims: { iss }, signature: 'foreign' }
    expect(await reasonOf(signIn(google, op))).toEqual(['signature', 'upstream_invalid'])
    op.lies = { claims: { iss }, callback: { iss: 'https://evil.example' } }
    expect(await reasonOf(signIn(google, op))).toEqual(['callback', 'upstream_invalid'])
    op.lies = { claims: { iss } }
    expect(await reasonOf(signIn(provider('oidc', op.issuer, HOSTILE_CLIENT), op))).toEqual([
      'claims',
      'upstream_invalid',
    ])
  })

  it('lets in only its own domain, where one is named; the parameter decides nothing', async () => {
    const google = provider('google', op.issuer, HOSTILE_CLIENT, { hostedDomain: 'corp.example' })
    op.person = { sub: '1', name: 'Ada', email: 'ada@gmail.com', email_verified: true }
    expect(await reasonOf(signIn(google, op))).toEqual(['not_accepted', 'upstream_invalid'])
    op.person = { ...op.person, hd: 'corp.example' }
    expect(await signIn(google, op)).toMatchObject({ subject: '1' })
    const { url } = await party().begin(google, { state: 's', nonce: 'n', redirectUri })
    expect(url.searchParams.get('hd')).toBe('corp.example')
  })
})

describe('GitHub', () => {
  const github = FakeGitHub.use()
  const fake = () => provider('github', github.issuer, GITHUB_CLIENT)

  it('says who came, by its API: never by the public address', async () => {
    expect(await signIn(fake(), github)).toEqual({
      issuer: github.issuer,
      subject: '583231',
      email: 'octocat@example.org',
      emailProven: true,
      name: undefined,
      picture: 'https://avatars.githubusercontent.com/u/583231',
      amr: [],
    })
  })

  it.each([
    ['none, where the person took that permission away', null],
    ['none that is not verified', [{ email: 'v@example.org', primary: true, verified: false }]],
    ['none that is not the primary', [{ email: 'v@example.org', primary: false, verified: true }]],
    [
      'none that nobody reads',
      [{ email: '1+o@users.noreply.github.com', primary: true, verified: true }],
    ],
  ])('has as its address %s', async (_what, emails) => {
    github.emails = emails
    expect(await signIn(fake(), github)).toMatchObject({ email: undefined, emailProven: false })
  })

  it('refuses a code that is spent, which GitHub says with status 200', async () => {
    const relyingParty = party()
    const [state, nonce] = ['s', 'n']
    const from = fake()
    const { url, verifier } = await relyingParty.begin(from, { state, nonce, redirectUri })
    const { searchParams: parameters } = await github.authorize(url)
    const redeem = () =>
      relyingParty.redeem(from, { redirectUri, parameters }, { state, nonce, verifier })
    expect(await redeem()).toMatchObject({ subject: '583231' })
    expect(await reasonOf(redeem())).toEqual(['code', 'upstream_invalid'])
  })
})

describe('a provider that is away', () => {
  it.each<[string, (op: HostileOp) => unknown, string]>([
    ['is stopped', (op) => op.site[Symbol.asyncDispose](), 'unreachable'],
    [
      'answers 500',
      (op) => op.site.moods.set('/.well-known/openid-configuration', { status: 500 }),
      'broken',
    ],
    [
      'answers a page',
      (op) =>
        op.site.moods.set('/.well-known/openid-configuration', {
          body: '<html>',
          headers: { 'content-type': 'text/html' },
        }),
      'broken',
    ],
    [
      'answers a redirect',
      (op) =>
        op.site.moods.set('/.well-known/openid-configuration', {
          status: 302,
          headers: { location: 'https://e.example' },
        }),
      'broken',
    ],
    [
      'has no keys',
      (op) => {
        op.lies = { metadata: { jwks_uri: undefined } }
      },
      'broken',
    ],
    [
      'says it is another',
      (op) => {
        op.lies = { metadata: { issuer: 'https://other.example' } }
      },
      'issuer',
    ],
    [
      'never answers',
      (op) => op.site.moods.set('/.well-known/openid-configuration', 'hang'),
      'slow',
    ],
  ])('that %s', async (_what, goAway, reason) => {
    await using op = await HostileOp.open()
    await goAway(op)
    const relyingParty = new RelyingParty({
      box,
      fetch: createGuardedFetch({ ...TO_LOOPBACK, timeoutMs: 500 }),
    })
    const from = provider('oidc', op.issuer, HOSTILE_CLIENT)
    const begin = relyingParty.begin(from, { state: 's', nonce: 'n', redirectUri })
    expect(await reasonOf(begin)).toEqual([
      reason,
      reason === 'issuer' ? 'upstream_invalid' : 'upstream_unavailable',
    ])
  })

  it('whose certificate is not good', async () => {
    await using site = new TlsSite({})
    await site.listen()
    const relyingParty = new RelyingParty({
      box,
      fetch: createGuardedFetch({ isAllowed: () => true }),
    })
    const from = provider('oidc', site.origin, HOSTILE_CLIENT)
    expect(
      await reasonOf(relyingParty.begin(from, { state: 's', nonce: 'n', redirectUri })),
    ).toEqual(['unreachable', 'upstream_unavailable'])
  })

  it('is left alone for a moment, and is asked again after it', async () => {
    await using op = await HostileOp.open()
    const relyingParty = party()
    const from = provider('oidc', op.issuer, HOSTILE_CLIENT)
    const path = '/.well-known/openid-configuration'
    op.site.moods.set(path, { status: 503 })
    const begin = () => relyingParty.begin(from, { state: 's', nonce: 'n', redirectUri })
    expect(await reasonOf(begin())).toEqual(['broken', 'upstream_unavailable'])
    const refusal = await begin().catch((error: unknown) => error)
    expect(refusal).toMatchObject({ details: { retryAfterSeconds: expect.any(Number) } })
    expect(op.site.asked.filter(({ url }) => url.pathname === path)).toHaveLength(1)
    op.site.moods.delete(path)
    for (;;) {
      const done = await begin().catch(() => undefined)
      if (done) break
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  })
})
