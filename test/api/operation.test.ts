import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import Koa from 'koa'
import { z } from 'zod'
import { AppError } from '../../src/errors.ts'
import { FaultLog } from '../../src/fault-log.ts'
import type { Api } from '../../src/http/api/api.ts'
import { openApiDocument } from '../../src/http/api/docs/document.ts'
import { family, type Guard, operation, twoCalls } from '../../src/http/api/operation.ts'
import type { Service } from '../../src/http/api/principal.ts'
import { apiDoor, type DoorDeps } from '../../src/http/api/router.ts'
import { createLogger } from '../../src/logger/logger.ts'
import type { Json } from '../support/api.ts'

interface Deps extends DoorDeps {
  readonly steps: string[]
  readonly keys: Map<string, number>
}

const schemas = z.registry<{ id: string }>()
const Key = z.strictObject({ days: z.int() }).register(schemas, { id: 'Key' })
const NewKey = z.strictObject({ days: z.int() }).register(schemas, { id: 'NewKeyBody' })
const Waiting = z.strictObject({ until: z.string() }).register(schemas, { id: 'Waiting' })
const Proof = z.strictObject({ code: z.string() }).register(schemas, { id: 'ProofBody' })

const service: Guard<Deps, Service> = {
  words: 'A service.',
  isBearer: true,
  refusals: ['invalid_token'],
  precheck(ctx, next) {
    if (!ctx.headers.authorization) throw new AppError('invalid_token')
    return next()
  },
  async admit(ctx, { steps }) {
    steps.push('guard')
    if (ctx.headers.authorization !== 'Bearer importer') throw new AppError('invalid_token')
    return { kind: 'service', clientId: 'importer', scopes: ['admin:keys'] }
  },
}

/** An API that is not the account's: what management will be. */
const KEYS: Api<Deps> = {
  title: 'keys API',
  prefix: '/api/keys',
  scope: 'admin:keys',
  operations: family('Keys', {
    changeKey: operation({
      route: 'PATCH /{kid}',
      guard: service,
      limit: 'account',
      summary: 'Change a key',
      refusals: ['not_found'],
      body: NewKey,
      answer: Key,
      example: { body: { days: 30 }, answer: { days: 30 } },
      async handle({ days }, { caller, param }, { keys, steps }) {
        steps.push(`${caller.clientId} changes ${param('kid')}`)
        if (!keys.has(param('kid'))) throw new AppError('not_found')
        keys.set(param('kid'), days)
        return { days }
      },
    }),
    removeKey: operation({
      route: 'DELETE /{kid}',
      guard: service,
      limit: 'account',
      summary: 'Remove a key',
      async handle(_input, { param }, { keys }) {
        keys.delete(param('kid'))
      },
    }),
    rotate: twoCalls({
      route: 'POST /{kid}/rotation',
      guard: service,
      limit: 'sensitive',
      summary: 'Rotate a key',
      first: {
        body: NewKey,
        answer: Key,
        otherwise: { answer: Waiting, example: { answer: { until: 'tomorrow' } } },
        handle: async ({ days }) =>
          days > 90 ? { otherwise: { until: 'tomorrow' } } : { days: days + 1 },
      },
      second: { body: Proof, answer: Key, handle: async () => ({ days: 0 }) },
    }),
  }),
  schemas,
  refusal: Key,
  refusalExamples: {},
  parameterExamples: {},
  challenge: () => undefined,
}

const keys = new Map([['first', 1]])
let steps: string[] = []
let origin = ''
const http = createServer()
beforeAll(async () => {
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const faults = new FaultLog({ logger: createLogger('silent') })
  const app = new Koa()
  app.use((ctx, next) => {
    ctx.state.origin = { ip: '203.0.113.7', userAgent: '', requestId: 'x' }
    return next()
  })
  app.use((ctx, next) => {
    const deps = { issuer: origin, faults, keys, steps }
    const door = apiDoor(KEYS, deps, (name) => (_ctx, go) => {
      steps.push(`limit ${name}`)
      return go()
    })
    return door(ctx, next)
  })
  const answer = app.callback()
  http.on('request', (req, res) => void answer(req, res))
})
afterAll(() => new Promise((resolve) => http.close(resolve)))

async function call(
  method: string,
  path: string,
  body?: Json,
  headers: Record<string, string> = { authorization: 'Bearer importer' },
) {
  steps = []
  const response = await fetch(`${origin}/api/keys${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const answer: Json = text ? JSON.parse(text) : undefined
  return { status: response.status, answer: answer?.error ?? answer, steps }
}

describe('a route of any API', () => {
  it('SE-11 refuses by the headers, then counts, then asks who calls, and reads the body last', async () => {
    expect(await call('PATCH', '/first', { days: 2 })).toEqual({
      status: 200,
      answer: { days: 2 },
      steps: ['limit account', 'guard', 'importer changes first'],
    })
    expect(await call('PATCH', '/first', { days: 2 }, {})).toEqual({
      status: 401,
      answer: 'invalid_token',
      steps: [],
    })
    const asText = { authorization: 'Bearer importer', 'content-type': 'text/plain' }
    expect(await call('PATCH', '/first', '{}', asText)).toMatchObject({ status: 415, steps: [] })
    expect(await call('PATCH', '/first', '{', { authorization: 'Bearer other' })).toMatchObject({
      status: 401,
      steps: ['limit account', 'guard'],
    })
    expect(await call('PATCH', '/first', '{')).toMatchObject({
      status: 400,
      steps: ['limit account', 'guard'],
    })
  })

  it('IN-01 hands on what the schema names, and refuses everything else', async () => {
    expect(await call('PATCH', '/first', { days: 2, id: 'x' })).toMatchObject({
      status: 400,
      answer: 'invalid_input',
    })
    expect(await call('PATCH', '/%20', { days: 2 })).toMatchObject({ status: 404 })
    expect(await call('DELETE', '/first')).toMatchObject({ status: 204, answer: undefined })
    expect(keys.size).toBe(0)
  })

  it('TF-07 takes any part of a proof for the second call, and may answer the first in two ways', async () => {
    expect(await call('POST', '/a/rotation', { days: 3 })).toMatchObject({
      status: 200,
      answer: { days: 4 },
    })
    expect(await call('POST', '/a/rotation', { days: 91 })).toMatchObject({
      status: 202,
      answer: { until: 'tomorrow' },
    })
    expect(await call('POST', '/a/rotation', { code: '1' })).toMatchObject({
      status: 200,
      answer: { days: 0 },
    })
    expect(await call('POST', '/a/rotation', { code: '1', days: 3 })).toMatchObject({
      status: 400,
    })
  })

  it('is in the document of its API, with its parameter, answers and refusals', () => {
    const document: Json = openApiDocument(KEYS, { issuer: origin, name: 'Test', version: '1' })
    expect(Object.keys(document.paths)).toEqual(['/api/keys/{kid}', '/api/keys/{kid}/rotation'])
    const { patch, delete: removal } = document.paths['/api/keys/{kid}']
    expect(patch).toMatchObject({ operationId: 'changeKey', parameters: [{ name: 'kid' }] })
    expect(Object.keys(patch.responses)).toEqual(
      expect.arrayContaining(['200', '400', '401', '404', '413', '415', '429', '500', '503']),
    )
    expect(Object.keys(removal.responses)).toEqual(expect.arrayContaining(['204', '401', '429']))
    expect(Object.keys(document.components.schemas)).toEqual([
      'Key',
      'Waiting',
      'NewKeyBody',
      'ProofBody',
    ])
  })

  it('does not compile with a handler that knows more or answers less than its object says', () => {
    const about = { route: 'GET /{kid}', guard: service, limit: 'account', summary: '' } as const
    const broken = [
      // @ts-expect-error there is no such parameter in the path
      () => operation({ ...about, handle: async (_input, { param }) => void param('id') }),
      // @ts-expect-error a service has no account
      () => operation({ ...about, handle: async (_input, { caller }) => void caller.accountId }),
      // @ts-expect-error the answer is to have a number of days
      () => operation({ ...about, answer: Key, handle: async () => ({ days: 'many' }) }),
      // @ts-expect-error a route has a limit
      () => operation({ ...about, limit: undefined, handle: async () => undefined }),
    ]
    expect(broken).toHaveLength(4)
  })
})
