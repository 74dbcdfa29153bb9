import { expect, it } from '@jest/globals'
import { basic } from '../support/protocol.ts'

const { FEATURES } = await import('../../src/oidc/features.ts')
Object.assign(FEATURES, { dPoP: true })
const { startServer } = await import('../support/server.ts')
const { createResource } = await import('../support/factories.ts')
const { storeOddClient } = await import('../support/odd-clients.ts')
const { ask, countProvided, formShot } = await import('../support/two-ways.ts')

it('T1 a feature that the fast path does not know closes it, and the engine keeps its rules', async () => {
  await using server = await startServer({ config: { trustedProxyHops: 1 } })
  const provided = countProvided(server)
  const { identifier } = await createResource(server)
  const metadata = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }
  const answers: unknown[] = []
  for (const more of [{}, { dpop_bound_access_tokens: true }]) {
    const client = await storeOddClient(server, 'it has metadata that no registration makes', {
      metadata: { ...metadata, ...more },
    })
    const form = { grant_type: 'client_credentials', resource: identifier, scope: 'read' }
    const answer = await ask(server, formShot('/token', basic(client).authorization, form))
    const { error, token_type: type } = (await answer.json()) as Record<string, unknown>
    answers.push([answer.status, error ?? type])
  }
  expect(answers).toEqual([
    [200, 'Bearer'],
    [400, 'invalid_grant'],
  ])
  expect(provided.count).toBe(2)
})
