import { Agent, request } from 'node:http'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { FIELDS } from '../../src/accounts/attributes/standard.ts'
import { anyAddress, type Json, type SignedIn, signedIn, startApi } from '../support/api.ts'
import { note } from '../support/notes.ts'
import { type OperationDoc, operationsOf } from '../support/openapi.ts'
import { holds } from '../support/property.ts'
import type { TestServer } from '../support/server.ts'

const BATCH = 25
const USUAL_MS = 12_000
/** On a busy machine it takes longer until every operation was reached. */
const MOST_MS = 120_000

let server: TestServer
let operations: OperationDoc[]
let owner: SignedIn
const agent = new Agent({ keepAlive: true, maxSockets: BATCH })
beforeAll(async () => {
  server = await startApi({ signIn: { methods: ['password', 'passkey', 'email-code'] } })
  await server.context.definitions.turn(FIELDS, true)
  operations = operationsOf(await (await fetch(`${server.origin}/api/openapi.json`)).json())
  owner = await signedIn(server)
})
afterAll(async () => {
  agent.destroy()
  await server.stop()
})

interface Shot {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

interface Hit {
  readonly status: number
  readonly error: string | undefined
  readonly retryAfter: string | undefined
}

/** What the server handed out last, by field: parts of real second calls. */
const handedOut: Record<string, string> = {}

/** One request over a kept connection; the answer must be JSON. */
function shoot({ method, path, headers, body }: Shot): Promise<Hit> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        ...server.address,
        agent,
        method,
        path,
        headers: {
          host: new URL(server.origin).host,
          'x-forwarded-for': anyAddress(),
          ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
          ...headers,
        },
      },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const parsed =
            text === ''
              ? undefined
              : (JSON.parse(text) as { error?: string } & Record<string, string>)
          for (const [name, value] of Object.entries(parsed ?? {}))
            if (HANDED_OUT.has(name)) handedOut[name] = value
          resolve({
            status: answer.statusCode ?? 0,
            error: parsed?.error,
            retryAfter: answer.headers['retry-after'],
          })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

const HANDED_OUT = new Set(['tokenId', 'userId', 'token', 'refresh_token'])

const NASTY = [
  "' or 1=1 --",
  '\u0000',
  '\ud800',
  '\u202e',
  '../../etc/passwd',
  `$\{7*7}`,
  '<script>',
  '{{7*7}}',
  '%00',
  '\r\nSet-Cookie: a=b',
  '𝕏'.repeat(100),
  'x'.repeat(1024),
  '٣'.repeat(6),
  '000000',
  'null',
  'a@b',
  'ada@example.org',
  '[object Object]',
  '1e999',
  '-0',
]

const anyText = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.uuid(),
  fc.emailAddress(),
)
const anyValue: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: anyText },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
)

/**
 * Bodies near the schema: examples with real values in some fields, others changed, left out or
 * added; and bodies far from it.
 */
function bodyOf(operation: OperationDoc): fc.Arbitrary<string | undefined> {
  const fields = [...new Set(operation.bodies.flatMap(({ properties }) => Object.keys(properties)))]
  const example = fc.constantFrom<Json>({}, ...Object.values<Json>(operation.requests))
  const changes = fc.dictionary(
    fields.length > 0 ? fc.constantFrom(...fields) : fc.string(),
    anyValue,
    {
      maxKeys: 4,
      noNullPrototype: true,
    },
  )
  const real: Record<string, Json> = {
    email: owner.email,
    password: owner.password,
    current_password: owner.password,
    ...handedOut,
  }
  const realFields = fc.subarray(fields.filter((name) => name in real))
  const near = fc
    .tuple(example, realFields, changes, fc.subarray(fields))
    .map(([base, kept, changed, left]) => {
      const body = {
        ...base,
        ...Object.fromEntries(kept.map((name) => [name, real[name]])),
        ...changed,
      }
      if (left.length < fields.length) for (const name of left) delete body[name]
      return JSON.stringify(body)
    })
  return fc.oneof(
    { weight: 12, arbitrary: near },
    {
      weight: 2,
      arbitrary: fc
        .dictionary(fc.string({ maxLength: 20 }), anyValue, { maxKeys: 5 })
        .map((value) => JSON.stringify(value)),
    },
    { weight: 2, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  )
}

/** One character of the live token changed; a change of nothing would end the session that the rest needs. */
function broken(at: number): string {
  const { token } = owner
  return `Bearer ${token.slice(0, at)}${token[at] === 'x' ? 'y' : 'x'}${token.slice(at + 1)}`
}

const ENDS = new Set(['logout', 'logoutAll', 'deleteAccount', 'endSession'])
/** The owner has allowed no app, has no second factor and no passkey, and no provider is there. */
const UNREACHABLE = new Set([
  'beginUpstream',
  'revokeApp',
  'disableMfa',
  'regenerateRecoveryCodes',
  'verificationOptions',
  'renamePasskey',
  'removePasskey',
  'removeIdentity',
])
/** What a use case says of a proof that is none. */
const JUDGED = new Set([
  'invalid_code',
  'invalid_invitation',
  'passkey_refused',
  'challenge_expired',
])

/** A request to any operation, with a token that is live, broken, absent or of nobody. */
function anyShot(): fc.Arbitrary<Shot & { id: string }> {
  return fc.constantFrom(...operations).chain((operation) => {
    const [method = '', template = ''] = operation.route.split(' ')
    const parameter = fc
      .oneof(anyText, fc.constant('x'))
      .map((text) => encodeURIComponent(text.toWellFormed()))
    const live = operation.isBearer && !ENDS.has(operation.id) ? 8 : 0
    const authorization = fc.oneof(
      { weight: live, arbitrary: fc.constant(`Bearer ${owner.token}`) },
      { weight: operation.isBearer ? 1 : 12, arbitrary: fc.constant(undefined) },
      {
        weight: 1,
        arbitrary: fc
          .string({ maxLength: 60 })
          .map((text) => `Bearer ${text.replace(/[^ -~]/g, '')}`),
      },
      { weight: 1, arbitrary: fc.nat(owner.token.length - 1).map(broken) },
    )
    const type = fc.oneof(
      { weight: 20, arbitrary: fc.constant('application/json') },
      {
        weight: 1,
        arbitrary: fc.constantFrom('text/plain', 'application/json; charset=utf-16', 'x', ''),
      },
    )
    return fc
      .tuple(parameter, authorization, type, bodyOf(operation))
      .map(([text, bearer, contentType, body]) => ({
        id: operation.id,
        method,
        path: `/api/auth${template.replace(/\{\w+\}/, text)}`,
        headers: {
          ...(bearer === undefined ? {} : { authorization: bearer }),
          ...(body === undefined ? {} : { 'content-type': contentType }),
        },
        body,
      }))
  })
}

it('IN-01 IN-11 requests around the schemas get no 5xx and no status that is not documented', async () => {
  const statuses = new Map<number, number>()
  const reached = new Set<string>()
  let count = 0
  const shots = fc.array(anyShot(), { minLength: BATCH, maxLength: BATCH })
  const tryThem = async (batch: readonly (Shot & { readonly id: string })[]) => {
    // Somebody else now and then: what happened to an account is part of two answers.
    if (count % 1000 === 0) owner = await signedIn(server)
    const answers = await Promise.all(
      batch.map(async (shot) => ({ shot, answer: await shoot(shot) })),
    )
    for (const { shot, answer } of answers) {
      count += 1
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      if (answer.status < 300 || JUDGED.has(answer.error ?? '')) reached.add(shot.id)
      const planned = Object.keys(operations.find(({ id }) => id === shot.id)?.responses ?? {}).map(
        Number,
      )
      // A parameter may lead to another path of the API, or to none.
      const elsewhere = operations.some(({ id, route }) => id === shot.id && route.includes('{'))
        ? [404, 405]
        : []
      expect({
        shot,
        answer,
        isPlanned: answer.status < 500 && [...planned, ...elsewhere].includes(answer.status),
      }).toMatchObject({
        isPlanned: true,
      })
    }
  }
  // Behind guard and schema, into the use case; the rest ends the session that the others need, or
  // wants a second factor.
  const unreached = () =>
    operations
      .map(({ id }) => id)
      .filter((id) => !reached.has(id) && !ENDS.has(id) && !UNREACHABLE.has(id))
  const end = Date.now() + MOST_MS
  await holds(shots, tryThem, { ms: USUAL_MS })
  while (unreached().length > 0 && Date.now() < end) await holds(shots, tryThem)
  const told = [...statuses]
    .toSorted(([a], [b]) => a - b)
    .map(([status, times]) => `${status}: ${times}`)
  note('fuzz', `${count} requests; ${told.join(', ')}`)
  expect(unreached()).toEqual([])
}, 600_000)
