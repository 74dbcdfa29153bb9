import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { FIELDS, STANDARD_ATTRIBUTES } from '../../src/accounts/attributes/standard.ts'
import { AttributeDefinition } from '../../src/entities/index.ts'
import { CLAIMS_BY_SCOPE } from '../../src/oidc/claims/registry.ts'
import { anyAddress, api, type SignedIn, signedIn } from '../support/api.ts'
import { type Cluster, startCluster } from '../support/balancer.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { operator } from '../support/operator.ts'
import { signedIn as atPages } from '../support/people.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'

const ADDRESS = {
  street_address: '12 St James’s Square',
  postal_code: 'SW1Y 4JH',
  locality: 'London',
  region: 'England',
  country: 'United Kingdom',
}
const ADA = {
  given_name: 'Augusta Ada',
  middle_name: 'Noel',
  family_name: 'King',
  nickname: 'Ada',
  gender: 'female',
  birthdate: '1815-12-10',
  website: 'https://ada.example/',
  profile: 'http://people.example/ada?tab=about#life',
  zoneinfo: 'Europe/London',
  address: ADDRESS,
}

let cluster: Cluster
let server: TestServer
let other: TestServer
let app: RelyingParty
const shell = operator()
beforeAll(async () => {
  cluster = await startCluster(2, { config: { trustedProxyHops: 1 } })
  const [one, two] = cluster.instances
  if (!one || !two) throw new Error('the cluster has two instances')
  server = one
  other = two
  app = await relyingParty(server, { firstParty: true })
})
afterAll(() => cluster.stop())

const gatehouse = (...args: string[]) => shell.run(server, args)
const edit = (body: unknown, { token }: SignedIn, at: TestServer = server) =>
  api(at, 'PATCH /user/profile', body, { token })

async function claimsOf({ email }: { email: string }, scope = 'openid profile address phone') {
  const browser = new Browser(server.origin)
  await browser.visit(app.authorizationUrl({ scope }))
  const page = await browser.submit('/login', { username: email, password: PASSWORD })
  const tokens = await app.redeem(page.url)
  return app.userinfo(tokens.access_token, tokens.claims()?.sub ?? '')
}

describe('a field that the operator has not turned on', () => {
  it('is not on the page, and unknown to the API', async () => {
    const owner = await signedIn(server)
    const account = await createAccount(server)
    const { browser } = await atPages(server, { account, path: '/account/profile' })
    for (const [name, value] of Object.entries(ADA)) {
      expect(browser.page.text).not.toContain(`name="${name}`)
      const { status, body } = await edit({ [name]: value }, owner)
      expect([status, body.fields]).toEqual([400, { [name]: 'unknown_field' }])
    }
    expect((await edit({}, owner)).body).toEqual({ profile: { phone_number: null } })
  })

  it('is named in discovery nevertheless: what a provider may release is fixed at its start', async () => {
    const response = await fetch(`${server.origin}/.well-known/openid-configuration`)
    const { claims_supported: supported } = (await response.json()) as Record<string, string[]>
    expect(supported).toEqual(expect.arrayContaining([...FIELDS, 'preferred_username']))
  })
})

describe('the definitions that are shipped', () => {
  it('are those that the registry of claims names, under the same scopes', async () => {
    const rows = await server.context.database.em.fork().findAll(AttributeDefinition)
    expect(rows.map(({ name }) => name).toSorted()).toEqual([...FIELDS].toSorted())
    for (const { name, scope } of rows) expect(CLAIMS_BY_SCOPE[scope]).toContain(name)
  })

  it('are turned on and off by the command, and every instance hears of it', async () => {
    const owner = await signedIn(server)
    const names = ['nickname', 'zoneinfo']
    const shownAt = async (at: TestServer) =>
      Object.keys((await edit({}, owner, at)).body.profile)
        .toSorted()
        .join(' ')
    expect(await shownAt(other)).toBe('phone_number')
    expect(await gatehouse('attribute', 'on', ...names)).toEqual({
      code: 0,
      stdout: 'Turned on: nickname, zoneinfo.\n',
      stderr: '',
    })
    for (const at of [server, other])
      await eventually(() => shownAt(at), 'nickname phone_number zoneinfo')
    expect((await gatehouse('attribute', 'list')).stdout.split('\n')).toEqual(
      expect.arrayContaining([
        'nickname\ton\ttext\tprofile',
        'gender\toff\ttext\tprofile',
        'address\toff\taddress\taddress',
      ]),
    )
    expect(JSON.parse((await gatehouse('attribute', 'off', ...names, '--json')).stdout)).toEqual(
      names.map((name) => ({ name, state: 'off' })),
    )
    await eventually(() => shownAt(other), 'phone_number')
    expect(await gatehouse('attribute', 'on', 'nickname', 'shoe_size')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'shoe_size: is not known\n',
    })
    expect(await shownAt(server)).toBe('phone_number')
  })
})

describe('a field that is turned on', () => {
  beforeAll(async () => {
    await server.context.definitions.turn(FIELDS, true)
    await eventually(async () => (await other.context.definitions.shown()).length, FIELDS.length)
  })

  it('is filled in at the API, released to apps, cleared by null, kept by absence', async () => {
    const owner = await signedIn(server)
    const before = (await claimsOf(owner))['updated_at'] as number
    await server.context.database.pool.query(
      `update account set updated_at = updated_at - interval '1 hour' where id = $1`,
      [owner.id],
    )
    expect((await edit({ ...ADA, phone_number: '+44 20 7946 0000' }, owner)).body).toEqual({
      profile: { ...ADA, phone_number: '+442079460000' },
    })
    const claims = await claimsOf(owner)
    expect(claims).toMatchObject({
      ...ADA,
      phone_number: '+442079460000',
      phone_number_verified: false,
    })
    expect(claims['updated_at']).toBeGreaterThanOrEqual(before)
    expect(await claimsOf(owner, 'openid email')).toEqual({
      sub: owner.id,
      email: owner.email,
      email_verified: true,
    })

    const { body } = await edit({ nickname: null, address: null, gender: 'x' }, owner, other)
    expect(body.profile).toMatchObject({ ...ADA, nickname: null, address: null, gender: 'x' })
    const after = await claimsOf(owner)
    expect(after).toMatchObject({ given_name: 'Augusta Ada', gender: 'x' })
    expect(after).not.toHaveProperty('nickname')
    expect(after).not.toHaveProperty('address')
  })

  it.each([
    [
      'given_name',
      'invalid_text',
      ['<b>', 'http://evil.example', 'a\nb', '\u202eadA', '\u200b', 'x'.repeat(101)],
    ],
    ['gender', 'invalid_text', ['\u0000', ' ', '\ud800', 'a\udc00b']],
    [
      'birthdate',
      'invalid_date',
      [
        '1815-02-30',
        '0000-02-30',
        '1900-02-29',
        '0000',
        '9999-01-01',
        '10.12.1815',
        '1815-12',
        '12-10',
        '1815-1-1',
      ],
    ],
    [
      'website',
      'invalid_url',
      [
        'javascript:alert(1)',
        'ftp://a.example/',
        'https://u:p@a.example/',
        'https:a.example',
        'a.example',
        'https://a .example/',
        'https://a.example/\u202e',
        '//a.example',
        'https://a.example/\ud800',
      ],
    ],
    ['profile', 'invalid_url', ['data:text/html,x', `https://a.example/${'x'.repeat(2048)}`]],
    [
      'zoneinfo',
      'invalid_zone',
      ['+01:00', 'Europe/Atlantis', 'London', '../etc/passwd', 'Europe/Berlin ; x'],
    ],
  ] as const)('refuses a bad %s', async (name, reason, values) => {
    // biome-ignore format: a table
    const owner = await signedIn(server)
    for (const value of values) {
      const { status, body } = await edit({ [name]: value, nickname: 'Countess' }, owner)
      expect({ value, status, reason: body.fields?.[name] }).toEqual({
        value,
        status: 400,
        reason: value.length > 2048 ? 'too_long' : reason,
      })
    }
    expect((await edit({}, owner)).body.profile).toMatchObject({ [name]: null, nickname: null })
  })

  it.each([
    ['birthdate', '1815', '1815'],
    ['birthdate', '0000-02-29', '0000-02-29'],
    ['birthdate', ' 2000-02-29 ', '2000-02-29'],
    ['website', 'HTTPS://Ada.Example', 'https://ada.example/'],
    ['zoneinfo', 'europe/berlin', 'Europe/Berlin'],
    ['zoneinfo', 'Asia/Kolkata', 'Asia/Kolkata'],
    ['zoneinfo', 'America/Argentina/Buenos_Aires', 'America/Argentina/Buenos_Aires'],
    ['family_name', ' 王\u00a0小明 ', '王\u00a0小明'],
    ['given_name', 'Zoe\u0308', 'Zo\u00eb'],
  ])('takes a %s %j in its one spelling', async (name, typed, kept) => {
    const owner = await signedIn(server)
    expect((await edit({ [name]: typed }, owner)).body.profile[name]).toBe(kept)
  })

  it('IN-04 takes nothing else, and says what is wrong with each part of an address', async () => {
    const owner = await signedIn(server)
    for (const name of ['name', 'email', 'username', 'preferred_username', 'locale'])
      expect((await edit(JSON.parse(`{"${name}":"x"}`), owner)).body.fields).toEqual({
        [name]: 'unknown_field',
      })
    const bad = { ...ADDRESS, country: '<b>', region: '\u202ex' }
    expect((await edit({ address: bad }, owner)).body.fields).toEqual({
      'address.country': 'invalid_text',
      'address.region': 'invalid_text',
    })
    expect((await edit({ address: { planet: 'Earth' } }, owner)).status).toBe(400)
    expect((await edit({ address: {} }, owner)).body.profile.address).toBeNull()
    expect((await api(server, 'PATCH /user/profile', ADA, { from: anyAddress() })).status).toBe(401)
  })

  it('belongs to one person: what one fills in is in the data of no other', async () => {
    const [ada, grace] = [await signedIn(server), await signedIn(server)]
    await edit(ADA, ada)
    await edit({ given_name: 'Grace' }, grace)
    expect(await claimsOf(ada)).toMatchObject(ADA)
    const claims = await claimsOf(grace)
    expect(claims['given_name']).toBe('Grace')
    for (const name of Object.keys(ADA).slice(1)) expect(claims).not.toHaveProperty(name)
  })

  it('many changes at once leave one of them, whole', async () => {
    const owner = await signedIn(server)
    const changes = Array.from({ length: 20 }, (_, index) => ({
      given_name: `Ada ${index}`,
      family_name: index % 3 === 0 ? null : `King ${index}`,
    }))
    const answers = await Promise.all(
      changes.map((change, index) => edit(change, owner, index % 2 ? server : other)),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    const { given_name, family_name } = (await edit({}, owner)).body.profile
    expect(changes).toContainEqual({ given_name, family_name })
  })

  it('UX-37 LG-08 is in the export and the trail, and goes with the account', async () => {
    const owner = await signedIn(server)
    await edit(ADA, owner)
    const { address, ...attributes } = ADA
    const { body } = await api(server, 'GET /user/export', undefined, { token: owner.token })
    expect(body.user).toMatchObject({ address, attributes })
    const { pool } = server.context.database
    await server.context.audit.flush()
    const { rows } = await pool.query(
      `select detail from audit_event where account_id = $1 and type = 'profile_changed'`,
      [owner.id],
    )
    expect(rows).toEqual([{ detail: { fields: Object.keys(ADA) } }])

    await server.context.deletion.request(owner.id, {
      ip: '192.0.2.1',
      userAgent: '',
      requestId: 'test',
    })
    await pool.query(`update account set delete_after = now() where id = $1`, [owner.id])
    expect(await server.context.deletion.eraseDue()).toBe(1)
    const left = await pool.query('select from account_attribute where account_id = $1', [owner.id])
    expect(left.rows).toEqual([])
  })

  it('stays where the operator turns it off again, out of sight', async () => {
    const owner = await signedIn(server)
    await edit({ nickname: 'Countess' }, owner)
    await server.context.definitions.turn(['nickname'], false)
    expect((await edit({ nickname: null }, owner)).body.fields).toEqual({
      nickname: 'unknown_field',
    })
    expect((await claimsOf(owner))['nickname']).toBe('Countess')
    await server.context.definitions.turn(['nickname'], true)
    expect((await edit({}, owner)).body.profile.nickname).toBe('Countess')
  })

  it('is filled in on the page of the account, without script', async () => {
    const account = await createAccount(server)
    const { browser } = await atPages(server, { account, path: '/account/profile' })
    const { address, ...plain } = ADA
    const parts = Object.fromEntries(
      Object.entries(address).map(([part, value]) => [`address.${part}`, value]),
    )
    const wrong = await browser.submit('/account/profile', {
      ...plain,
      ...parts,
      birthdate: 'yesterday',
      'address.country': '<b>',
    })
    expect(wrong.status).toBe(400)
    expect(wrong.words).toContain('There is a problem Date of birth Country ')
    expect(wrong.words).toContain('Enter a date in the past, like 1990-05-23.')
    expect(wrong.words).toContain('Country Use up to 100 characters on one line, without links.')
    expect(wrong.text).toContain('value="Augusta Ada"')
    expect(await claimsOf(account)).not.toHaveProperty('given_name')

    await browser.submit('/account/profile', { ...plain, ...parts })
    expect(await claimsOf(account)).toMatchObject(ADA)
    await browser.submit('/account/profile', { nickname: '', 'address.region': '' })
    const claims = await claimsOf(account)
    expect(claims).not.toHaveProperty('nickname')
    const { region: _region, ...rest } = ADDRESS
    expect(claims['address']).toEqual(rest)
  })

  it('stays when the form of a page is older than the choice of the operator', async () => {
    const account = await createAccount(server)
    await server.context.profile.update(account.id, { attributes: ADA })
    await server.context.definitions.turn(['nickname', 'address'], false)
    const { browser } = await atPages(server, { account, path: '/account/profile' })
    await server.context.definitions.turn(['nickname', 'address'], true)
    await browser.submit('/account/profile', { given_name: 'Grace' })
    expect(await claimsOf(account)).toMatchObject({ ...ADA, given_name: 'Grace' })
    const shown = async () => (await browser.visit('/account/profile')).text
    await eventually(async () => (await shown()).includes('name="nickname"'), true)
    await server.context.definitions.turn(['nickname'], false)
    await browser.submit('/account/profile', { nickname: 'x', given_name: 'Mary' })
    expect(await claimsOf(account)).toMatchObject({ ...ADA, given_name: 'Mary' })
  })
})

describe('gatehouse account set', () => {
  beforeAll(() => server.context.definitions.turn(FIELDS, false))

  it('fills in every claim, turned on or not, and clears by an empty value', async () => {
    const account = await createAccount(server)
    const { address, ...plain } = ADA
    const wanted = {
      name: 'Ada King',
      picture: 'https://pictures.example/ada.png',
      locale: 'en-GB',
      phone_number: '+442079460000',
      ...plain,
      ...Object.fromEntries(Object.entries(address).map(([k, v]) => [`address.${k}`, v])),
    }
    const settings = Object.entries(wanted).map(([name, value]) => `${name}=${value}`)
    expect(await gatehouse('account', 'set', account.email, ...settings)).toEqual({
      code: 0,
      stdout: `${account.email} is changed: ${Object.keys(wanted).join(', ')}.\n`,
      stderr: '',
    })
    const { sub, ...claims } = await claimsOf(account)
    expect(claims).toEqual({
      ...ADA,
      name: 'Ada King',
      picture: 'https://pictures.example/ada.png',
      locale: 'en-GB',
      phone_number: '+442079460000',
      phone_number_verified: false,
      preferred_username: expect.any(String),
      updated_at: expect.any(Number),
    })
    expect(sub).toBe(account.id)
    expect(
      JSON.parse((await gatehouse('account', 'show', account.id, '--json')).stdout),
    ).toMatchObject({
      name: 'Ada King',
      claims: { zoneinfo: 'Europe/London', 'address.locality': 'London' },
    })
    const refused = await gatehouse(
      'account',
      'set',
      account.id,
      'address.locality=a\nb',
      'picture=x',
    )
    expect([refused.code, refused.stderr.split('\n').map((line) => line.split(': ')[0])]).toEqual([
      1,
      ['picture', 'address.locality', ''],
    ])
    const cleared = ['nickname=', 'address.region=', 'phone_number=']
    expect(
      JSON.parse((await gatehouse('account', 'set', account.id, ...cleared, '--json')).stdout),
    ).toEqual({
      id: account.id,
      email: account.email,
      changed: ['nickname', 'address.region', 'phone_number'],
    })
    const after = await claimsOf(account)
    expect(after).not.toHaveProperty('nickname')
    expect(after).not.toHaveProperty('phone_number')
    const { region: _region, ...rest } = ADDRESS
    expect(after['address']).toEqual(rest)
    await server.context.audit.flush()
    const { rows } = await server.context.database.pool.query(
      `select detail->>'by' as by from audit_event where account_id = $1 and type = 'profile_changed'`,
      [account.id],
    )
    expect(rows).toEqual([{ by: 'operator' }, { by: 'operator' }])
  })

  it('says what is wrong, all of it, and changes nothing', async () => {
    const { email } = await createAccount(server)
    expect(
      await gatehouse(
        'account',
        'set',
        email,
        'nickname=Ada',
        'birthdate=1815-02-30',
        'zoneinfo=x',
        'locale=?',
      ),
    ).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'locale: must be a language tag, like en or pt-BR\n' +
        'birthdate: must be a date in the past, like 1990-05-23, 1990 or 0000-05-23\n' +
        'zoneinfo: must be a time zone of the IANA database, like Europe/Berlin\n',
    })
    for (const setting of ['shoe_size=43', 'nickname', 'email=x@example.org', '=x'])
      expect(await gatehouse('account', 'set', email, setting)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`"${setting}" sets no claim. `),
      })
    expect(await claimsOf({ email })).not.toHaveProperty('nickname')
  })
})

it('the standard names are those of OIDC Core 5.1 that no column holds', () => {
  expect([...STANDARD_ATTRIBUTES].toSorted()).toEqual([
    'birthdate',
    'family_name',
    'gender',
    'given_name',
    'middle_name',
    'nickname',
    'profile',
    'website',
    'zoneinfo',
  ])
})
