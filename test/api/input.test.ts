import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { anyAddress, api, type Json, type SignedIn, signedIn, startApi } from '../support/api.ts'
import { type OperationDoc, operationsOf, violations } from '../support/openapi.ts'
import type { TestServer } from '../support/server.ts'

let server: TestServer
let document: Json
let operations: OperationDoc[]
let owner: SignedIn
beforeAll(async () => {
  server = await startApi()
  document = await (await fetch(`${server.origin}/api/openapi.json`)).json()
  operations = operationsOf(document)
  owner = await signedIn(server)
})
afterAll(() => server.stop())

const withBody = () => operations.filter(({ takesBody }) => takesBody)
const call = (
  { route, isBearer }: OperationDoc,
  body?: unknown,
  options: Parameters<typeof api>[3] = {},
) => api(server, route, body, { ...(isBearer ? { token: owner.token } : {}), ...options })

/** Whether a path is one of a route's: a name may also be read as somebody's id. */
const isAt = ({ route }: OperationDoc, path: string): boolean =>
  new RegExp(`^${route.split(' ')[1]?.replace(/\{\w+\}/g, '[^/]+')}$`).test(path)

/** As JSON Schema names it. */
function typeOf(value: Json): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

describe('bodies', () => {
  it('IN-01 IN-03 no field of any call takes another type: the type-juggle matrix', async () => {
    const wrong: Json[] = [
      0,
      1,
      -1,
      1.5,
      true,
      false,
      [],
      ['x'],
      {},
      { $ne: null },
      { __raw: '1=1' },
      { toString: 'x' },
      { length: 5 },
      [[]],
      null,
    ]
    let count = 0
    for (const operation of withBody())
      for (const [index, request] of Object.values<Json>(operation.requests).entries())
        for (const field of Object.keys(request))
          for (const value of wrong) {
            const property = operation.bodies[index].properties[field]
            const options: Json[] = property.anyOf ?? (property.$ref ? [property] : [])
            // A $ref is an object of its own, and tells what is wrong within it.
            if (options.some(({ type = 'object' }) => type === typeOf(value))) continue
            const { status, body } = await call(operation, { ...request, [field]: value })
            count += 1
            expect({
              route: operation.route,
              field,
              value,
              status,
              reason: body.fields?.[field],
            }).toEqual({
              route: operation.route,
              field,
              value,
              status: 400,
              reason: 'invalid_type',
            })
          }
    expect(count).toBeGreaterThan(500)
  })

  it('IN-01 IN-04 none takes a field that it does not know', async () => {
    for (const operation of withBody())
      for (const request of Object.values<Json>(operation.requests))
        for (const field of [
          'id',
          'role',
          'is_admin',
          'email_verified',
          'mfa_enabled',
          'status',
          'created_at',
          'tenant',
          'user.id',
          'email::text',
          '"x"',
          '',
        ]) {
          const { status, body } = await call(operation, { ...request, [field]: 'x' })
          expect({ route: operation.route, status, fields: body.fields }).toMatchObject({
            status: 400,
            fields: { [field]: 'unknown_field' },
          })
        }
  })

  it('IN-01 none does without a field that it needs', async () => {
    for (const operation of withBody())
      for (const [index, request] of Object.values<Json>(operation.requests).entries())
        for (const field of operation.bodies[index].required ?? []) {
          const { [field]: _left, ...rest } = request
          if (operation.bodies.some((schema) => violations(document, schema, rest).length === 0))
            continue
          const { status, body } = await call(operation, rest)
          expect({ route: operation.route, field, status }).toEqual({
            route: operation.route,
            field,
            status: 400,
          })
          expect(body.error).toBe('invalid_input')
        }
  })

  it('IN-02 are 16 kB at most: 413, said before or found while reading', async () => {
    for (const operation of withBody()) {
      const big = JSON.stringify({ name: 'x'.repeat(16 * 1024) })
      const told = await call(operation, undefined, {
        raw: big,
        headers: { 'content-type': 'application/json' },
      })
      expect({ route: operation.route, status: told.status, error: told.body.error }).toEqual({
        route: operation.route,
        status: 413,
        error: 'payload_too_large',
      })
      expect(await chunked(operation, big)).toBe(413)
    }
  })

  it('IN-07 SE-11 are JSON, and say so', async () => {
    const types = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      'text/json',
      'application/json-seq',
      'x',
    ]
    for (const operation of withBody())
      for (const type of types) {
        const answer = await call(operation, undefined, {
          raw: '{"email":"a@example.org"}',
          headers: { 'content-type': type },
        })
        expect({ route: operation.route, type, status: answer.status }).toEqual({
          route: operation.route,
          type,
          status: 415,
        })
      }
    const [first] = withBody()
    if (!first) throw new Error('no operation')
    expect((await call(first, undefined, { raw: '{"a":1}' })).status).toBe(415)
    const zipped = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    expect((await call(first, undefined, { raw: '{"a":1}', headers: zipped })).status).toBe(415)
    const utf8 = await call(first, undefined, {
      raw: '{"a":1}',
      headers: { 'content-type': 'application/json; charset=utf-8' },
    })
    expect(utf8.body.fields).toMatchObject({ a: 'unknown_field' })
  })

  it.each<[string, string | Uint8Array]>([
    ['nothing', ' '],
    ['no JSON', '{'],
    ['an array', '[]'],
    ['a string', '"x"'],
    ['null', 'null'],
    ['a number', '7'],
    ['a trailing comma', '{"email":"a@example.org",}'],
    ['comments', '{"email":"a@example.org"/*x*/}'],
    ['single quotes', "{'email':'a@example.org'}"],
    ['NaN', '{"email":NaN}'],
    ['two values', '{"email":"a@example.org"}{}'],
    ['one name twice', '{"email":"a@example.org","email":"b@example.org"}'],
    ['one name twice, once escaped', '{"email":"a@example.org","\\u0065mail":"b@example.org"}'],
    ['__proto__', '{"__proto__":{"email":"a@example.org"}}'],
    ['constructor', '{"constructor":{"prototype":{}}}'],
    ['depth', `${'{"a":'.repeat(20)}1${'}'.repeat(20)}`],
    [
      '200 names',
      JSON.stringify(
        Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`a${index}`, 1])),
      ),
    ],
    ['invalid UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ['overlong UTF-8', new Uint8Array([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d])],
    ['a byte order mark', new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d])],
  ])('IN-02 of %s are refused with 400', async (_what, raw) => {
    for (const operation of withBody()) {
      const { status, body } = await call(operation, undefined, {
        raw,
        headers: { 'content-type': 'application/json' },
      })
      expect({ route: operation.route, status, error: body.error }).toEqual({
        route: operation.route,
        status: 400,
        error: 'invalid_input',
      })
    }
  })

  it('IN-02 values that look like names are no names', async () => {
    for (const password of ['":"', 'a":"b', '\\":', '"email":', ':', '\\'])
      expect(
        (await api(server, 'POST /sign-in/email', { email: 'a@example.org', password })).status,
      ).toBe(401)
  })

  it('may be absent where they may be empty, and only there', async () => {
    const others: Record<string, number> = {}
    for (const operation of withBody()) {
      const { status } = await call(
        operation,
        undefined,
        operation.id === 'deleteAccount' ? { raw: 'x' } : {},
      )
      if (status !== 400) others[operation.id] = status
    }
    expect(others).toEqual({
      me: 200,
      regenerateRecoveryCodes: 409,
      deleteAccount: 415,
      newPasskeyOptions: 200,
      verificationOptions: 403,
    })
  })

  it('IN-09 50 kB of what slows patterns down takes no time', async () => {
    for (const text of [
      'a@'.repeat(8000),
      `${'a.'.repeat(7000)}@x`,
      ' '.repeat(16_000),
      '-'.repeat(16_000),
      'é'.repeat(7000),
      '<'.repeat(15_000),
    ])
      for (const field of ['email', 'name', 'password']) {
        const began = performance.now()
        await api(server, 'POST /sign-up/email', {
          name: 'Ada',
          email: 'a@example.org',
          password: 'plum ladder seven harbour',
          [field]: text,
        })
        expect(performance.now() - began).toBeLessThan(5000)
      }
  })
})

/** The same body without saying how long it is. */
function chunked({ route, isBearer }: OperationDoc, body: string): Promise<number> {
  const [method = '', path = ''] = route.split(' ')
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        ...server.address,
        method,
        path: `/api/auth${path}`,
        headers: {
          host: new URL(server.origin).host,
          'content-type': 'application/json',
          'transfer-encoding': 'chunked',
          'x-forwarded-for': anyAddress(),
          ...(isBearer ? { authorization: `Bearer ${owner.token}` } : {}),
        },
      },
      (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      },
    )
    outgoing.on('error', reject)
    for (let at = 0; at < body.length; at += 1000) outgoing.write(body.slice(at, at + 1000))
    outgoing.end()
  })
}

describe('the door', () => {
  it('TK-14 WB-02 every answer is JSON, never stored, never sniffed, never framed', async () => {
    const answers = [
      await api(server, 'GET /nowhere'),
      await api(server, 'POST /sign-up/email', {}),
      await call(operations[6] as OperationDoc, {}),
    ]
    for (const { headers } of answers) {
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; frame-ancestors 'none'",
      )
      expect(headers.get('access-control-allow-origin')).toBeNull()
    }
  })

  it('WB-07 another method gets 405 and is told which there are', async () => {
    for (const { route } of operations) {
      const path = route.split(' ')[1]?.replace(/\{\w+\}/, 'x') ?? ''
      const own = operations
        .filter((each) => isAt(each, path))
        .map((each) => each.route.split(' ')[0])
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'].filter(
        (each) => !own.includes(each),
      )) {
        const answer = await api(server, `${method} ${path}`)
        expect({ method, path, status: answer.status }).toEqual({ method, path, status: 405 })
        expect(answer.headers.get('allow')?.split(', ')).toEqual(expect.arrayContaining(own))
      }
    }
  })

  it('RL-05 IN-10 only the one spelling of a path exists', async () => {
    const paths = [
      '//sign-in/email',
      '/sign-in//email',
      '/sign-in/email/',
      '/Sign-In/email',
      '/sign-in%2Femail',
      '/sign-in/email%20',
      '/./sign-in/email%2e',
      '/sign-in/email;x',
      '/sign-in/email%252e',
      '/%c0%af',
      '/%',
      '/..%2fauth',
    ]
    for (const path of paths)
      expect({ path, status: (await api(server, `POST ${path}`, {})).status }).toEqual({
        path,
        status: 404,
      })
    expect(
      (await fetch(`${server.origin}/API/auth/sign-in/email`, { method: 'POST' })).status,
    ).toBe(404)
  })

  it('WB-10 answers for its own host only', async () => {
    const answer = await api(server, 'GET /user/sessions', undefined, {
      headers: { host: 'evil.example' },
    })
    expect(answer).toMatchObject({ status: 421, body: { error: 'misdirected_request' } })
  })

  it('IN-11 RL-07 a database that is away is 503 with Retry-After, and no failure of anybody', async () => {
    const person = await signedIn(server)
    const { pool } = server.context.database
    const query = pool.query.bind(pool)
    pool.query = () =>
      Promise.reject(Object.assign(new Error('terminating connection'), { code: '57P01' }))
    try {
      for (const route of ['POST /user/me', 'GET /user/sessions', 'DELETE /user/logout']) {
        const answer = await api(server, route, undefined, { token: person.token })
        expect(answer).toMatchObject({ status: 503, body: { error: 'unavailable' } })
        expect(answer.headers.get('retry-after')).toBe('1')
      }
      expect(
        (
          await api(server, 'POST /sign-in/email', {
            email: person.email,
            password: person.password,
          })
        ).status,
      ).toBe(503)
      expect(
        (await api(server, 'PATCH /user/refresh', { refresh_token: person.refreshToken })).status,
      ).toBe(503)
    } finally {
      pool.query = query
    }
    expect(
      (await api(server, 'POST /sign-in/email', { email: person.email, password: person.password }))
        .status,
    ).toBe(200)
  })

  it('LG-05 IN-11 an unknown fault in any guard is 500, says nothing but the number of the request, and lets nobody in', async () => {
    const { sessions, accessTokens } = server.context
    for (const [target, name] of [
      [sessions, 'findLive'],
      [accessTokens, 'verify'],
    ] as const) {
      Object.defineProperty(target, name, {
        configurable: true,
        value: () => Promise.reject(new Error('secret detail at 10.0.0.1')),
      })
      try {
        const answer = await api(server, 'POST /user/me', undefined, { token: owner.token })
        expect(answer.status).toBe(500)
        expect(Object.keys(answer.body)).toEqual(['error', 'message', 'request_id'])
        expect(answer.text).not.toContain('secret detail')
        expect(
          (
            await api(
              server,
              'POST /resend/verify/email',
              { email: 'a@example.org' },
              { token: owner.token },
            )
          ).status,
        ).toBe(500)
      } finally {
        Reflect.deleteProperty(target, name)
      }
    }
  })
})
