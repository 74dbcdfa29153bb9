import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { registrationOf } from '../../conformance/plans.ts'
import { eventually } from '../support/eventually.ts'
import { Outside, query, SIGNED_OUT, SUITE, Visit } from './outside.ts'

describe('oidcc-backchannel-rp-initiated-logout-certification-test-plan', () => {
  const received: { token: string; type: string | undefined }[] = []
  const receiver = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8')
    })
    request.on('end', () => {
      const token = new URLSearchParams(body).get('logout_token') ?? ''
      received.push({ token, type: request.headers['content-type'] })
      response.writeHead(200).end()
    })
  })
  let outside: Outside
  beforeAll(async () => {
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    outside = await Outside.start({
      config: { outgoing: { privateNetworks: [], loopback: true } },
    })
  })
  afterAll(async () => {
    await outside[Symbol.asyncDispose]()
    receiver.closeAllConnections()
    await new Promise((resolve) => receiver.close(resolve))
  })

  it('oidcc-backchannel-logout-discovery-endpoint-verification', () => {
    expect(outside.metadata).toMatchObject({
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      end_session_endpoint: expect.stringMatching(/^https:/),
    })
  })

  it('oidcc-backchannel-rp-initiated-logout', async () => {
    const { port } = receiver.address() as AddressInfo
    const address = `http://localhost:${port}/backchannel_logout`
    const client = await outside.register([
      ...registrationOf('client', SUITE, { backchannelLogout: false }),
      '--backchannel-logout',
      address,
      '--backchannel-http',
    ])
    const visit = new Visit(outside, { client })
    const { id_token: idToken } = await visit.signIn()
    const before = Math.floor(Date.now() / 1000)
    const params = query({
      id_token_hint: idToken,
      post_logout_redirect_uri: SIGNED_OUT,
      state: 'a-state',
    })
    const { browser } = visit
    const page = await browser.visit(
      `${outside.metadata.end_session_endpoint}?${params.toString()}`,
    )
    const question = page.forms.find(({ fields }) => fields.some(({ name }) => name === 'logout'))
    const back = question ? await browser.submit(question, {}, { button: 'yes' }) : page
    expect(back.url.href).toBe(`${SIGNED_OUT}?state=a-state`)

    await eventually(() => received.length, 1)
    const [{ token, type } = { token: '', type: '' }] = received
    expect(type).toMatch(/^application\/x-www-form-urlencoded/)
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(outside.jwks), {
      issuer: outside.metadata.issuer,
      audience: client.client_id,
      algorithms: ['RS256'],
    })
    expect(protectedHeader.typ).toBe('logout+jwt')
    const { sub, sid } = decodeJwt(idToken)
    expect(payload).toMatchObject({
      sub,
      sid,
      jti: expect.any(String),
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
    expect(payload).not.toHaveProperty('nonce')
    expect(Number(payload.iat)).toBeGreaterThanOrEqual(before)
    expect(Number(payload.exp)).toBeGreaterThan(Number(payload.iat))
    expect(Number(payload.exp) - Number(payload.iat)).toBeLessThanOrEqual(120)
    const { answer } = await visit.authorize({ prompt: 'none' })
    expect(answer.get('error')).toBe('login_required')
  })
})
