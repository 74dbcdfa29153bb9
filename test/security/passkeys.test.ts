import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { StatelessChallenges } from '../../src/crypto/challenge.ts'
import { AuditEvent } from '../../src/entities/index.ts'
import { Registration, readCredential } from '../../src/http/passkey-credential.ts'
import { deleteExpired } from '../../src/retention/jobs.ts'
import { type ApiAnswer, api, type Json } from '../support/api.ts'
import { type Alg, Authenticator, coseKey, type Kind, type Lie } from '../support/authenticator.ts'
import { Browser } from '../support/browser.ts'
import type { Cbor } from '../support/cbor.ts'
import { sqlOf } from '../support/database.ts'
import { createAccount } from '../support/factories.ts'
import { givePasskey, passkeyOwner, passkeySignIn, showPasskey } from '../support/passkeys.ts'
import { startServer } from '../support/server.ts'
import { useApi } from '../support/use-server.ts'

const server = useApi()

const sql = sqlOf(server)
const refusal = ({ status, body }: ApiAnswer) => [status, body?.error]
const REFUSED = [400, 'passkey_refused']
const EXPIRED = [400, 'challenge_expired']

/** What the trail says of the last failure. */
async function lastReason(accountId: string): Promise<unknown> {
  await server.context.audit.flush()
  const [event] = await server.context.database.em
    .fork()
    .find(AuditEvent, { accountId, outcome: 'failure' }, { orderBy: { seq: 'desc' }, limit: 1 })
  return event?.detail['reason']
}

const mailAbout = (address: string, words: string) =>
  server.inbox.find(address, ({ subject }) => subject.includes(words))

async function withPasskey(kind: Kind = {}) {
  const account = await createAccount(server)
  return { account, ...(await givePasskey(server, account, kind)) }
}

/** `POST /passkeys`, with its options, by an account that may. */
async function add(owner: { token: string }, device: Authenticator, lie?: Lie, body: Json = {}) {
  const { token, publicKey } = (await api(server, 'POST /passkeys/options', body, owner)).body
  const credential = device.register(publicKey, lie)
  return api(server, 'POST /passkeys', { token, credential }, owner)
}

describe('challenges', () => {
  const BINDING = 'api:test'
  const [old, now] = ['an old secret'.padEnd(32, '.'), 'a new secret'.padEnd(32, '.')]

  it('PK-01 are 36 bytes, good for one ceremony of one binding, until their end', () => {
    const challenges = new StatelessChallenges([now])
    const challenge = challenges.make('webauthn.get', BINDING, 600)
    expect(Buffer.from(challenge, 'base64url')).toHaveLength(36)
    expect(challenges.judge(challenge, 'webauthn.get', BINDING)).toBeInstanceOf(Date)
    expect(challenges.judge(challenge, 'webauthn.create', BINDING)).toBeUndefined()
    expect(challenges.judge(challenge, 'webauthn.get', 'api:other')).toBeUndefined()
    const past = challenges.make('webauthn.get', BINDING, -1)
    expect(challenges.judge(past, 'webauthn.get', BINDING)).toBeUndefined()
  })

  it('PK-01 of a key that is still accepted are good, of another not', () => {
    const challenge = new StatelessChallenges([old]).make('webauthn.get', BINDING, 600)
    const judgedBy = (keys: string[]) =>
      new StatelessChallenges(keys).judge(challenge, 'webauthn.get', BINDING)
    expect(judgedBy([now, old])).toBeInstanceOf(Date)
    expect(judgedBy([now])).toBeUndefined()
  })

  it('PK-01 are refused with any bit changed', () => {
    const challenges = new StatelessChallenges([now])
    const bytes = Buffer.from(challenges.make('webauthn.get', BINDING, 600), 'base64url')
    const accepted = [...bytes.keys()].filter((at) => {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      return challenges.judge(changed.toString('base64url'), 'webauthn.get', BINDING)
    })
    expect(accepted).toEqual([])
  })

  it('PK-01 an answer is good once, also for fifty at once at two instances', async () => {
    await using other = await startServer({
      database: server.config.database,
      issuer: server.origin,
      config: { trustedProxyHops: 1 },
    })
    const { authenticator } = await withPasskey()
    const { token, publicKey } = (await api(server, 'POST /passkey/options', {})).body
    const body = { token, credential: authenticator.assert(publicKey) }
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => {
        const { address } = index % 2 === 0 ? server : other
        return api({ origin: server.origin, address }, 'POST /sign-in/passkey', body)
      }),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ body }) => body.error === 'challenge_expired')).toHaveLength(49)
  })

  it('PK-01 a wrong signature spends it, too', async () => {
    const { authenticator } = await withPasskey()
    const { token, publicKey } = (await api(server, 'POST /passkey/options', {})).body
    const flip = (bytes: Buffer) => bytes.fill(bytes[20] === 1 ? 2 : 1, 20, 21)
    const spoilt = authenticator.assert(publicKey, { spoil: { signature: flip } })
    const send = (credential: Json) => api(server, 'POST /sign-in/passkey', { token, credential })
    expect(refusal(await send(spoilt))).toEqual(REFUSED)
    expect(refusal(await send(authenticator.assert(publicKey)))).toEqual(EXPIRED)
  })

  it('PK-01 one of another token, another step or another person answers nothing', async () => {
    const { authenticator } = await withPasskey()
    const owner = await passkeyOwner(server)
    const options = async (route: string, caller = {}) =>
      (await api(server, route, {}, caller)).body
    const [first, second] = [
      await options('POST /passkey/options'),
      await options('POST /passkey/options'),
    ]
    const proof = await options('POST /verification/options', owner)
    const signIn = (token: string, credential: Json) =>
      api(server, 'POST /sign-in/passkey', { token, credential })
    const crossed = [
      await signIn(second.token, authenticator.assert(first.publicKey)),
      await signIn(proof.token, owner.authenticator.assert(proof.publicKey)),
      await api(
        server,
        'POST /verification',
        { token: first.token, credential: owner.authenticator.assert(first.publicKey) },
        owner,
      ),
    ]
    expect(crossed.map(refusal)).toEqual([EXPIRED, EXPIRED, EXPIRED])
    const creation = await options('POST /passkeys/options', owner)
    const thief = await passkeyOwner(server)
    const credential = new Authenticator(server.origin).register(creation.publicKey)
    const stolen = { token: creation.token, credential }
    expect(refusal(await api(server, 'POST /passkeys', stolen, thief))).toEqual(EXPIRED)
  })

  it('PK-01 past their end are deleted', async () => {
    await sql(
      `insert into "spent_challenge" values ('\\x01', now() - interval '1 second'), ('\\x02', now() + interval '1 hour')`,
    )
    await deleteExpired(server.context.database.pool, 'answered challenges')
    const left = await sql(`select "digest" from "spent_challenge" where length("digest") = 1`)
    expect(left).toHaveLength(1)
  })
})

describe('a signature', () => {
  it.each<Alg>(['ES256', 'EdDSA', 'RS256'])('of %s is both factors', async (alg) => {
    const { account, authenticator } = await withPasskey({ alg })
    const answer = await passkeySignIn(server, authenticator)
    expect(answer.body).toMatchObject({ user: { id: account.id } })
    const [session] = await sql('select "amr", "acr" from "session" where "account_id" = $1', [
      account.id,
    ])
    expect(session).toEqual({ amr: ['pop', 'user', 'mfa'], acr: 'urn:gatehouse:acr:2fa' })
  })

  it.each<[string, Lie, string]>([
    [
      'PK-02 from another origin',
      { clientData: { origin: 'https://evil.example' } },
      'foreign_origin',
    ],
    [
      'PK-02 from our host by another port',
      { clientData: { origin: 'http://localhost:1' } },
      'foreign_origin',
    ],
    ['PK-02 from a frame of another site', { clientData: { crossOrigin: true } }, 'foreign_origin'],
    [
      'PK-02 from below another page',
      { clientData: { topOrigin: 'https://evil.example' } },
      'foreign_origin',
    ],
    ['for another host', { rpId: 'evil.example' }, 'not_valid'],
    ['of another ceremony', { clientData: { type: 'webauthn.create' } }, 'other_ceremony'],
    ['PK-03 without a verified person', { flags: { uv: false } }, 'not_verified'],
    ['without anybody there', { flags: { up: false } }, 'not_valid'],
    ['PK-05 backed up and not eligible for it', { flags: { be: false, bs: true } }, 'not_valid'],
    [
      'PK-05 not eligible for a backup any more',
      { flags: { be: false, bs: false } },
      'backup_eligibility',
    ],
    [
      'PK-04 for another person',
      { userHandle: randomBytes(16).toString('base64url') },
      'user_handle',
    ],
    ['PK-04 that names nobody', { userHandle: null }, 'user_handle'],
  ])('%s is refused', async (_what, lie, reason) => {
    const { account, authenticator } = await withPasskey()
    expect(refusal(await passkeySignIn(server, authenticator, lie))).toEqual(REFUSED)
    expect(await lastReason(account.id)).toBe(reason)
    expect((await passkeySignIn(server, authenticator)).status).toBe(200)
  })

  it('PK-05 whose credential is eligible for a backup all at once is refused', async () => {
    const { authenticator } = await withPasskey({ flags: { be: false, bs: false } })
    const lie = { flags: { be: true, bs: false } }
    expect(refusal(await passkeySignIn(server, authenticator, lie))).toEqual(REFUSED)
    expect((await passkeySignIn(server, authenticator)).status).toBe(200)
  })

  it('PK-04 of one credential under the id of another is refused; of an unknown one it may be signalled', async () => {
    const [ours, theirs] = [await withPasskey(), await withPasskey()]
    const lie = { credentialId: theirs.authenticator.credentialId }
    expect(refusal(await passkeySignIn(server, ours.authenticator, lie))).toEqual(REFUSED)
    const credentialId = randomBytes(16)
    const unknown = await passkeySignIn(server, ours.authenticator, { credentialId })
    expect(unknown).toMatchObject({
      status: 400,
      body: {
        error: 'passkey_unknown',
        signal: { rpId: 'localhost', credentialId: credentialId.toString('base64url') },
      },
    })
  })

  it('PK-04 of another account proves nothing in a session, and is no second step', async () => {
    const [ours, theirs] = [await passkeyOwner(server), await passkeyOwner(server)]
    const proof = (await api(server, 'POST /verification/options', {}, ours)).body
    const body = { token: proof.token, credential: theirs.authenticator.assert(proof.publicKey) }
    expect(refusal(await api(server, 'POST /verification', body, ours))).toEqual(REFUSED)
    const { email, password } = ours
    const { token } = (await api(server, 'POST /sign-in/email', { email, password })).body
    const { publicKey } = (await api(server, 'POST /sign-in/mfa/options', { token })).body
    const credential = theirs.authenticator.assert(publicKey)
    expect(refusal(await api(server, 'POST /sign-in/mfa', { token, credential }))).toEqual(REFUSED)
  })

  it('of an account that is closed or was reported is refused', async () => {
    const { account, authenticator } = await withPasskey()
    for (const [change, reason] of [
      [`"status" = 'disabled'`, 'account_not_active'],
      [`"status" = 'active', "must_reset_password" = true`, 'must_reset_password'],
    ]) {
      await sql(`update "account" set ${change} where "id" = $1`, [account.id])
      expect(refusal(await passkeySignIn(server, authenticator))).toEqual(REFUSED)
      expect(await lastReason(account.id)).toBe(reason)
    }
  })

  it('PK-10 is taken where passwords are locked out', async () => {
    const { account, authenticator } = await withPasskey()
    const { email } = account
    for (let tries = 0; tries < 11; tries += 1)
      await api(server, 'POST /sign-in/email', { email, password: 'wrong wrong wrong' })
    const locked = await api(server, 'POST /sign-in/email', { email, password: account.password })
    expect(refusal(locked)).toEqual([429, 'too_many_requests'])
    expect((await passkeySignIn(server, authenticator)).status).toBe(200)
  })

  it('a second step by it is taken where codes are locked out', async () => {
    const { account, authenticator } = await withPasskey()
    const { email, password } = account
    const begin = async () => (await api(server, 'POST /sign-in/email', { email, password })).body
    for (let tries = 0; tries < 6; tries += 1) {
      const { token } = await begin()
      await api(server, 'POST /sign-in/email', { email, password, token, code: '000000' })
    }
    const { token, methods } = await begin()
    expect(methods).toEqual(['passkey', 'totp', 'recovery'])
    const { publicKey } = (await api(server, 'POST /sign-in/mfa/options', { token })).body
    const body = { token, credential: authenticator.assert(publicKey) }
    expect((await api(server, 'POST /sign-in/mfa', body)).status).toBe(200)
    expect(refusal(await api(server, 'POST /sign-in/mfa', body))).toEqual(EXPIRED)
  })
})

describe('a counter', () => {
  const COUNTING = { counts: true, flags: { be: false, bs: false } } as const

  it('that rises is taken; one that went back suspends the passkey and tells its owner', async () => {
    const { account, authenticator, passkey } = await withPasskey(COUNTING)
    for (let uses = 0; uses < 3; uses += 1)
      expect((await passkeySignIn(server, authenticator)).status).toBe(200)
    expect(refusal(await passkeySignIn(server, authenticator, { counter: 2 }))).toEqual(REFUSED)
    expect(await lastReason(account.id)).toBe('counter')
    const mail = await mailAbout(account.email, 'is suspended')
    expect(mail.text).toContain('/report-compromise')
    expect(refusal(await passkeySignIn(server, authenticator))).toEqual(REFUSED)
    expect(await lastReason(account.id)).toBe('suspended')
    expect(await server.context.passkeys.list(account.id)).toMatchObject([
      { id: passkey.id, suspendedFor: 'counter' },
    ])
  })

  it('that went back under a wrong signature suspends nothing', async () => {
    const { authenticator } = await withPasskey(COUNTING)
    expect((await passkeySignIn(server, authenticator)).status).toBe(200)
    const spoil = { signature: (bytes: Buffer) => bytes.fill(1, 20, 24) }
    await passkeySignIn(server, authenticator, { counter: 1, spoil })
    expect((await passkeySignIn(server, authenticator)).status).toBe(200)
  })

  it('that is zero again after it counted is a copy', async () => {
    const { authenticator } = await withPasskey(COUNTING)
    expect((await passkeySignIn(server, authenticator)).status).toBe(200)
    expect(refusal(await passkeySignIn(server, authenticator, { counter: 0 }))).toEqual(REFUSED)
    expect(refusal(await passkeySignIn(server, authenticator))).toEqual(REFUSED)
  })
})

describe('a security key', () => {
  const KEY = { flags: { uv: false, be: false, bs: false } } as const

  it('PK-03 is a second step and never the only one', async () => {
    const { account, authenticator, method } = await withPasskey(KEY)
    expect(method.id).toBe('security-key')
    expect(refusal(await passkeySignIn(server, authenticator))).toEqual(REFUSED)
    // A PIN that somebody gave it since says nothing of its owner.
    const verified = await passkeySignIn(server, authenticator, { flags: { uv: true } })
    expect(refusal(verified)).toEqual(REFUSED)
    const { email, password } = account
    const { token } = (await api(server, 'POST /sign-in/email', { email, password })).body
    const { publicKey } = (await api(server, 'POST /sign-in/mfa/options', { token })).body
    expect(publicKey).toMatchObject({
      userVerification: 'preferred',
      allowCredentials: [{ id: authenticator.id, transports: ['internal', 'hybrid'] }],
    })
    const credential = authenticator.assert(publicKey, { userHandle: null })
    const answer = await api(server, 'POST /sign-in/mfa', { token, credential })
    expect(answer.status).toBe(200)
    const [session] = await sql('select "amr" from "session" where "account_id" = $1', [account.id])
    expect(session.amr).toEqual(['pwd', 'pop', 'user', 'mfa'])
  })

  it('PK-03 cannot be made where a passkey is asked for', async () => {
    const owner = await passkeyOwner(server)
    const device = new Authenticator(server.origin, KEY)
    expect(refusal(await add(owner, device))).toEqual(REFUSED)
    expect((await add(owner, device, {}, { security_key: true })).status).toBe(200)
  })
})

describe('a new passkey', () => {
  let owner: Awaited<ReturnType<typeof passkeyOwner>>
  beforeAll(async () => {
    owner = await passkeyOwner(server)
  })
  const rsa = (bits: number) =>
    coseKey(generateKeyPairSync('rsa', { modulusLength: bits }).publicKey, 'RS256')
  const ec = (change: (key: Map<Cbor, Cbor>) => void) => {
    const key = coseKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey, 'ES256')
    change(key)
    return key
  }
  const nested = (depth: number) =>
    Buffer.concat([Buffer.from('a16178', 'hex'), Buffer.alloc(depth, 0x81), Buffer.of(0x80)])

  it.each<[string, () => Lie]>([
    ['PK-02 from another origin', () => ({ clientData: { origin: 'https://evil.example' } })],
    ['PK-02 from a frame of another site', () => ({ clientData: { crossOrigin: true } })],
    ['for another host', () => ({ rpId: 'evil.example' })],
    ['of another ceremony', () => ({ clientData: { type: 'webauthn.get' } })],
    ['PK-03 without a verified person', () => ({ flags: { uv: false } })],
    ['without anybody there', () => ({ flags: { up: false } })],
    ['PK-05 backed up and not eligible', () => ({ flags: { be: false, bs: true } })],
    [
      'with a point that is not on its curve',
      () => ({ publicKey: ec((key) => key.set(-3, Buffer.alloc(32, 7))) }),
    ],
    ['with half a point', () => ({ publicKey: ec((key) => key.delete(-3)) })],
    ['of an algorithm that was not asked for', () => ({ publicKey: ec((key) => key.set(3, -35)) })],
    [
      'of one algorithm with the key of another',
      () => ({ publicKey: ec((key) => key.set(3, -8)) }),
    ],
    ['with an RSA key of 1024 bits', () => ({ publicKey: rsa(1024) })],
    [
      'with an RSA key of 8192 bits',
      () => ({ publicKey: new Map<Cbor, Cbor>([...rsa(2048), [-1, randomBytes(1024)]]) }),
    ],
    ['with no key', () => ({ publicKey: new Map() })],
    [
      'PK-12 with an attestation that is nested 5,000 deep',
      () => ({ spoil: { attestationObject: () => nested(5000) } }),
    ],
    [
      'PK-12 with a list that says it is four billion long',
      () => ({
        spoil: {
          attestationObject: (bytes) => Buffer.concat([Buffer.from('9affffffff', 'hex'), bytes]),
        },
      }),
    ],
    ['PK-12 of nothing', () => ({ spoil: { attestationObject: () => Buffer.of(0xf6) } })],
    [
      'under an id that is not its own',
      () => ({ json: { id: 'AAAAAAAAAAAAAAAAAAAAAA', rawId: 'AAAAAAAAAAAAAAAAAAAAAA' } }),
    ],
    ['with two ids', () => ({ json: { rawId: 'AAAAAAAAAAAAAAAAAAAAAA' } })],
  ])('%s is refused', async (_what, lie) => {
    const answer = await add(owner, new Authenticator(server.origin), lie())
    expect(refusal(answer)).toEqual(REFUSED)
  })

  it('PK-12 with an id of 1,023 bytes is taken, of 1,024 not', async () => {
    const device = () => new Authenticator(server.origin)
    const long = await add(owner, device(), { credentialId: randomBytes(1023) })
    expect(long.status).toBe(200)
    const longer = await add(owner, device(), { credentialId: randomBytes(1024) })
    expect(refusal(longer)).toEqual([400, 'invalid_input'])
  })

  it('PK-11 is taken whatever its attestation says, which is told to the trail only', async () => {
    const device = new Authenticator(server.origin, {
      aaguid: 'bada5566-a7aa-401f-bd96-45619a55120d',
    })
    const attestation = new Map<Cbor, Cbor>([
      ['sig', randomBytes(70)],
      ['x5c', [randomBytes(300)]],
    ])
    const added = await add(owner, device, { format: 'packed', attestation })
    expect(added).toMatchObject({ status: 200, body: { passkey: { product: '1Password' } } })
    const { rows } = await server.context.database.pool.query(
      `select "detail" from "audit_event" where "account_id" = $1 and "type" = 'passkey_added' order by "seq" desc limit 1`,
      [owner.id],
    )
    expect(rows[0].detail).toMatchObject({ attestation: 'packed' })
    const odd = await add(owner, new Authenticator(server.origin), { format: '<script>' })
    expect(odd.status).toBe(200)
  })

  it('of a credential that is here already, whoever has it, is refused, also of two at once', async () => {
    const other = await passkeyOwner(server)
    expect(refusal(await add(owner, other.authenticator))).toEqual([409, 'passkey_exists'])
    const device = new Authenticator(server.origin)
    const answers = await Promise.all([add(owner, device), add(other, device), add(owner, device)])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409])
  })

  it('from an extension that leaves out and adds members is taken, and `__proto__` changes nothing', async () => {
    const { token, publicKey } = (await api(server, 'POST /passkeys/options', {}, owner)).body
    const device = new Authenticator(server.origin)
    const { clientExtensionResults: _, ...bare } = device.register(publicKey)
    const sent = { ...bare, publicKeyAlgorithm: -7, x: 'y' }
    const polluted = JSON.stringify(sent).replace('"x":"y"', '"__proto__":{"type":"x"}')
    expect(readCredential(Registration, polluted)).toEqual({
      id: bare.id,
      rawId: bare.rawId,
      type: 'public-key',
      response: bare.response,
    })
    const refused = await api(server, 'POST /passkeys', undefined, {
      ...owner,
      raw: `{"token":"${token}","credential":${polluted}}`,
      headers: { 'content-type': 'application/json' },
    })
    expect(refusal(refused)).toEqual([400, 'invalid_input'])
    const answer = await api(server, 'POST /passkeys', { token, credential: sent }, owner)
    expect(refusal(answer)).toEqual([200, undefined])
    const signIn = await passkeySignIn(server, device, {
      json: {
        authenticatorAttachment: 'hybrid-thing',
        clientExtensionResults: { __proto__: null },
      },
    })
    expect(signIn.status).toBe(200)
  })

  it('PK-06 is told by mail with a way to report it, and signs nobody out', async () => {
    const before = await passkeyOwner(server)
    const elsewhere = await passkeySignIn(server, before.authenticator)
    const added = await add(before, new Authenticator(server.origin))
    expect(added.body.recovery_codes).toEqual([])
    const mail = await mailAbout(before.email, 'was added')
    expect(mail.text).toContain('/report-compromise')
    const alive = await api(server, 'GET /user/sessions', undefined, {
      token: elsewhere.body.access_token,
    })
    expect(alive.status).toBe(200)
  })
})

describe('the trail of a sign-in', () => {
  it('names the passkey, at either door', async () => {
    const account = await createAccount(server)
    const { authenticator, passkey } = await givePasskey(server, account)
    await passkeySignIn(server, authenticator)
    const browser = new Browser(server.origin)
    await browser.visit('/account')
    expect((await showPasskey(browser, authenticator)).url.pathname).toBe('/account')
    await server.context.audit.flush()
    const details = await sql(
      `select "detail" ->> 'door' as "door", "detail" ->> 'passkey' as "passkey" from "audit_event"
       where "account_id" = $1 and "type" = 'sign_in' and "outcome" = 'success' order by "seq"`,
      [account.id],
    )
    expect(details).toEqual([
      { door: 'api', passkey: passkey.id },
      { door: 'pages', passkey: passkey.id },
    ])
  })
})
