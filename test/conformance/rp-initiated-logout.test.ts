import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { generateKeyPair, SignJWT } from 'jose'
import type { Page } from '../support/browser.ts'
import { Outside, type Params, query, SIGNED_OUT, type Tokens, Visit } from './outside.ts'

describe('oidcc-rp-initiated-logout-certification-test-plan', () => {
  let outside: Outside
  beforeAll(async () => {
    outside = await Outside.start()
  })
  afterAll(() => outside[Symbol.asyncDispose]())

  /** Somebody who has signed in at the client. */
  async function signedIn(): Promise<{ visit: Visit; tokens: Tokens }> {
    const visit = new Visit(outside)
    return { visit, tokens: await visit.signIn() }
  }

  /** Opens the address to sign out at; a page that asks whether to is answered with yes. */
  async function signOut(visit: Visit, params: Params): Promise<Page> {
    const { browser } = visit
    const page = await browser.visit(
      `${outside.metadata.end_session_endpoint}?${query(params).toString()}`,
    )
    const question = page.forms.find(({ fields }) => fields.some(({ name }) => name === 'logout'))
    return question ? browser.submit(question, {}, { button: 'yes' }) : page
  }

  const isSignedIn = async (visit: Visit): Promise<boolean> => {
    const { answer } = await visit.authorize({ prompt: 'none' })
    if (!answer.has('code')) expect(answer.get('error')).toBe('login_required')
    return answer.has('code')
  }

  /** Never back at the client, and a page that says that something is wrong. */
  async function isRefused(change: (idToken: string) => Params | Promise<Params>): Promise<void> {
    const { visit, tokens } = await signedIn()
    const params = {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: SIGNED_OUT,
      state: 'a-state',
    }
    const page = await signOut(visit, { ...params, ...(await change(tokens.id_token)) })
    expect([page.isForeign, page.status, page.text.includes('<h1 id="error">')]).toEqual([
      false,
      400,
      true,
    ])
    expect(await isSignedIn(visit)).toBe(true)
  }

  /** Signed out, and a page of the server says so. */
  async function isSignedOutHere(params: (idToken: string) => Params): Promise<void> {
    const { visit, tokens } = await signedIn()
    const page = await signOut(visit, params(tokens.id_token))
    expect([page.isForeign, page.status]).toEqual([false, 200])
    expect(page.text).toContain('<h1 id="signed-out">')
    expect(await isSignedIn(visit)).toBe(false)
  }

  const isBackAtClient = async (state: string | undefined): Promise<void> => {
    const { visit, tokens } = await signedIn()
    const page = await signOut(visit, {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: SIGNED_OUT,
      state,
    })
    expect(page.isForeign).toBe(true)
    expect(page.url.href).toBe(state === undefined ? SIGNED_OUT : `${SIGNED_OUT}?state=${state}`)
    expect(await isSignedIn(visit)).toBe(false)
  }

  const decoded = (jwt: string, index: number): Readonly<Record<string, unknown>> =>
    JSON.parse(Buffer.from(jwt.split('.')[index] ?? '', 'base64url').toString())

  it('oidcc-rp-initiated-logout-discovery-endpoint-verification', () => {
    expect(URL.parse(outside.metadata.end_session_endpoint)?.protocol).toBe('https:')
  })

  it('oidcc-rp-initiated-logout', () => isBackAtClient('some-state'))

  it('oidcc-rp-initiated-logout-bad-post-logout-redirect-uri', () =>
    isRefused(() => ({ post_logout_redirect_uri: `${SIGNED_OUT}_not_registered` })))

  it('oidcc-rp-initiated-logout-modified-id-token-hint', () =>
    isRefused((idToken) => {
      const none = Buffer.from(JSON.stringify({ ...decoded(idToken, 0), alg: 'none' }))
      return { id_token_hint: `${none.toString('base64url')}.${idToken.split('.')[1]}.` }
    }))

  it('oidcc-rp-initiated-logout-bad-id-token-hint', () =>
    isRefused(async (idToken) => {
      const { privateKey } = await generateKeyPair('RS256')
      const foreign = new SignJWT(decoded(idToken, 1)).setProtectedHeader({
        ...decoded(idToken, 0),
        alg: 'RS256',
      })
      return { id_token_hint: await foreign.sign(privateKey) }
    }))

  it('oidcc-rp-initiated-logout-no-id-token-hint', () =>
    isSignedOutHere(() => ({ post_logout_redirect_uri: SIGNED_OUT, state: 'a-state' })))

  it('oidcc-rp-initiated-logout-no-params', () => isSignedOutHere(() => ({})))

  it('oidcc-rp-initiated-logout-no-post-logout-redirect-uri', () =>
    isSignedOutHere((idToken) => ({ id_token_hint: idToken, state: 'a-state' })))

  it('oidcc-rp-initiated-logout-no-state', () => isBackAtClient(undefined))

  it('oidcc-rp-initiated-logout-only-state', () => isSignedOutHere(() => ({ state: 'a-state' })))

  it('oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri', () =>
    isRefused(() => ({ post_logout_redirect_uri: `${SIGNED_OUT}?foo=bar` })))
})
