import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { createGuardedFetch, type Fetch } from '../../src/outgoing/guarded-fetch.ts'
import { HOSTILE_CLIENT, HostileOp } from '../support/upstream/hostile-op.ts'
import {
  liveProvider,
  reasonOf,
  redirectUri,
  relyingParty,
  signIn,
} from '../support/upstream/sign-in.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'

const TENANT = '11111111-1111-1111-1111-111111111111'
const OTHER = '22222222-2222-2222-2222-222222222222'

const op = HostileOp.use()
afterEach(() => {
  op.lies = {}
})

describe('Apple', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const settings = { teamId: 'ABCDE12345', keyId: 'ABC123DEFG' }
  const apple = () =>
    liveProvider('apple', op.issuer, { id: HOSTILE_CLIENT.id, secret: pem }, settings)
  const shown: string[] = []

  beforeAll(() => {
    op.lies = {}
    op.knows = async (secret) => {
      shown.push(secret)
      const { payload } = await jwtVerify(secret, createPublicKey(pem), {
        issuer: settings.teamId,
        audience: 'https://appleid.apple.com',
        subject: HOSTILE_CLIENT.id,
        algorithms: ['ES256'],
      })
      return Number(payload.exp) - Number(payload.iat) === 300
    }
  })

  it('gets a secret made of the key for each request, and posts its answer as a form', async () => {
    op.person = { sub: '001', email: 'x@privaterelay.appleid.com', email_verified: 'true' }
    const { url } = await relyingParty().begin(apple(), { state: 's', nonce: 'n', redirectUri })
    expect(url.searchParams.get('response_mode')).toBe('form_post')
    const user = JSON.stringify({
      name: { firstName: 'Ada', lastName: 'Lovelace' },
      email: 'v@example.org',
    })
    expect(await signIn(apple(), op, { user })).toMatchObject({
      subject: '001',
      email: 'x@privaterelay.appleid.com',
      emailProven: true,
      name: 'Ada Lovelace',
    })
    expect(decodeProtectedHeader(shown.at(-1) ?? '')).toEqual({ alg: 'ES256', kid: settings.keyId })
    await signIn(apple(), op)
    expect(new Set(shown).size).toBe(shown.length)
  })

  it.each([
    ['true', true],
    [true, true],
    ['false', false],
    [false, false],
    [1, false],
    [undefined, false],
  ])('email_verified %p proves the address: %p', async (verified, isProven) => {
    op.person = { sub: '001', email: 'ada@example.org', email_verified: verified }
    expect((await signIn(apple(), op)).emailProven).toBe(isProven)
  })

  it.each([
    '',
    '{',
    '[]',
    '{"name":null}',
    '{"name":{"firstName":7}}',
    '{"name":{"firstName":"<b>"}}',
  ])('has no name in %p', async (user) => {
    op.person = { sub: '001' }
    expect((await signIn(apple(), op, { user })).name).toBeUndefined()
  })
})

describe('Microsoft', () => {
  const login = 'https://login.microsoftonline.com'
  const guarded = createGuardedFetch(TO_LOOPBACK)
  /** As if the fake were where Microsoft is. */
  const fetch: Fetch = (input, init) =>
    guarded(
      (input as string).replace(/^https:\/\/login\.microsoftonline\.com\/[^/]+\/v2\.0/, op.issuer),
      init,
    )
  const microsoft = (tenants: string[], issuer = `${login}/common/v2.0`) =>
    liveProvider('microsoft', issuer, HOSTILE_CLIENT, { tenants })
  const come = (claims: object, tenants: string[]) => {
    op.person = { sub: 'abc', name: 'Ada', tid: TENANT, iss: `${login}/${TENANT}/v2.0`, ...claims }
    op.lies = {
      metadata: {
        issuer: `${login}/{tenantid}/v2.0`,
        authorization_response_iss_parameter_supported: undefined,
      },
      callback: { iss: undefined },
    }
    return signIn(microsoft(tenants), op, { party: relyingParty(fetch) })
  }
  beforeAll(() => {
    op.knows = async (secret) => secret === HOSTILE_CLIENT.secret
  })

  it('is known by the issuer of its tenant', async () => {
    expect(await come({}, [TENANT, OTHER])).toMatchObject({
      issuer: `${login}/${TENANT}/v2.0`,
      subject: 'abc',
    })
  })

  it.each([
    [{ tid: OTHER, iss: `${login}/${OTHER}/v2.0` }, 'not_accepted'],
    [{ tid: TENANT, iss: `${login}/${OTHER}/v2.0` }, 'claims'],
    [{ tid: undefined }, 'claims'],
  ])('lets nobody in with %j', async (claims, reason) => {
    expect(await reasonOf(come(claims, [TENANT]))).toEqual([reason, 'upstream_invalid'])
  })

  it.each([
    [{ xms_edov: true }, [TENANT], true],
    [{ xms_edov: 1 }, [TENANT], true],
    [{ xms_edov: '1' }, [TENANT], true],
    [{ xms_edov: 'true' }, [TENANT], false],
    [{ xms_edov: false }, [TENANT], false],
    [{}, [TENANT], false],
    [{ email_verified: true }, [TENANT], false],
    [{ xms_edov: true }, [], false],
  ])(
    'UP-01 %j of tenants %j proves the address: %p (CVE-2024-21632)',
    async (claims, tenants, isProven) => {
      const { email, emailProven } = await come({ email: 'victim@example.org', ...claims }, tenants)
      expect([email, emailProven]).toEqual(['victim@example.org', isProven])
    },
  )
})
