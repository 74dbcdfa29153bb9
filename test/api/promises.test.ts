import { afterAll, beforeAll, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { FIELDS } from '../../src/accounts/attributes/standard.ts'
import { api, type Json, type SignedIn, signedIn, startApi } from '../support/api.ts'
import { note } from '../support/notes.ts'
import { type OperationDoc, operationsOf, violations } from '../support/openapi.ts'
import type { TestServer } from '../support/server.ts'

const RUNS = 12
/** Of each body; a machine that is slower tries fewer. */
const MOST_MS = 5000

let server: TestServer
let document: Json
let operations: OperationDoc[]
beforeAll(async () => {
  // Every way is offered, so that a sign-up may leave the password out.
  server = await startApi({ signIn: { methods: ['password', 'passkey', 'email-code'] } })
  await server.context.definitions.turn(FIELDS, true)
  document = await (await fetch(`${server.origin}/api/openapi.json`)).json()
  operations = operationsOf(document).filter(({ takesBody }) => takesBody)
})
afterAll(() => server.stop())

/**
 * A pattern without what it looks ahead for, which no generator can follow: the rest is generated,
 * the whole decides.
 */
function withoutLookaheads(pattern: string): string {
  let kept = ''
  let depth = 0
  for (const [part] of pattern.matchAll(/\\.|\[(?:\\.|[^\]])*\]|\(\?[=!]|[()]|[^\\[()]/gsu)) {
    if (depth > 0) depth += part.startsWith('(') ? 1 : part === ')' ? -1 : 0
    else if (part === '(?=' || part === '(?!') depth = 1
    else kept += part
  }
  return kept
}

function strings({ pattern, minLength = 0, maxLength }: Json): fc.Arbitrary<string> {
  if (!pattern)
    return fc.oneof(
      fc.string({ minLength, maxLength, unit: 'binary' }),
      fc.string({ minLength, maxLength, unit: 'binary-ascii' }),
    )
  const whole = new RegExp(pattern, 'u')
  const size = { maxLength, size: '-1' } as const
  return fc
    .stringMatching(new RegExp(withoutLookaheads(pattern), 'u'), size)
    .filter((text) => whole.test(text))
}

/** Values of the schemas that our document has. Lengths are promised after NFC, which no schema can say. */
function values(schema: Json): fc.Arbitrary<unknown> {
  if (schema.$ref) return values(document.components.schemas[schema.$ref.split('/').at(-1)])
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(values))
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.type === 'null') return fc.constant(null)
  if (schema.type === 'boolean') return fc.boolean()
  if (schema.type === 'array') return fc.array(values(schema.items), { maxLength: 3 })
  if (schema.type === 'object') {
    const properties = Object.entries<Json>(schema.properties ?? {})
    return fc.record(
      Object.fromEntries(properties.map(([name, property]) => [name, values(property)])),
      {
        requiredKeys: schema.required ?? [],
        noNullPrototype: true,
      },
    )
  }
  expect(schema.type).toBe('string')
  return strings(schema).filter(
    (text) => text === text.normalize('NFC') && [...text].length >= (schema.minLength ?? 0),
  )
}

/**
 * Refusals that say "this is not what the schema allows". What is wrong, spent, common or personal
 * is about the value.
 */
const OF_FORM = new Set([
  'required',
  'unknown_field',
  'invalid_type',
  'invalid_format',
  'too_short',
  'too_long',
  'invalid_email',
])
const isOfForm = (body: Json): boolean =>
  body?.error === 'invalid_input' ||
  (body?.error === 'password_rejected' && OF_FORM.has(body.fields?.password))

it('IN-01 keeps what openapi.json promises: no body that it allows is refused for its form', async () => {
  let tried = 0
  for (const { id, route, isBearer, bodies } of operations)
    for (const schema of bodies) {
      let caller: SignedIn | undefined
      const property = fc.asyncProperty(values(schema), async (body) => {
        expect(violations(document, schema, body)).toEqual([])
        // Who deletes the account has none for the next body.
        if (isBearer && (!caller || id === 'deleteAccount')) caller = await signedIn(server)
        const answer = await api(server, route, body, { token: caller?.token })
        tried += 1
        expect([route, answer.status >= 500 || isOfForm(answer.body), answer.text]).toEqual([
          route,
          false,
          answer.text,
        ])
      })
      await fc.assert(property, {
        numRuns: RUNS,
        interruptAfterTimeLimit: MOST_MS,
        markInterruptAsFailure: false,
        endOnFailure: true,
      })
    }
  note(
    'OpenAPI',
    `${tried} bodies of ${operations.length} operations that it allows, none refused for its form`,
  )
  expect(tried).toBeGreaterThan(operations.length)
}, 120_000)

it('IN-01 promises a length and a pattern where there is one', () => {
  const { SignUpBody, EditBasicBody, SignInFirstBody } = document.components.schemas
  expect(SignUpBody.properties.email).toMatchObject({
    maxLength: 254,
    pattern: expect.stringContaining('@'),
  })
  expect(SignUpBody.properties.name).toMatchObject({ maxLength: 100, pattern: expect.any(String) })
  expect(SignUpBody.properties.password).toMatchObject({ minLength: 15, maxLength: 256 })
  expect(SignInFirstBody.properties.password).toMatchObject({ minLength: 1 })
  const patternOf = (field: string): RegExp =>
    new RegExp(
      EditBasicBody.properties[field].anyOf.find(({ type }: Json) => type === 'string').pattern,
      'u',
    )
  const fits = (field: string, texts: string[]): boolean[] =>
    texts.map((text) => patternOf(field).test(text))
  expect(
    fits('phone_number', ['+4930123456', '+44 (20) 7946-0000', '030 123456', '+0123456789', '+1']),
  ).toEqual([true, true, false, false, false])
  expect(
    fits('image_url', [
      'https://a.example/b.png?s=2',
      'http://a.example/',
      'https://localhost/',
      'https://127.0.0.1/',
    ]),
  ).toEqual([true, false, false, false])
})
