import { beforeAll, describe, expect, it } from '@jest/globals'
import { takeWaiting } from '../support/slow-lane.ts'
import { atLogin, comeBy, honestBefore, somebody } from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'
import { challengeOf, work } from '../support/work.ts'

describe('work of somebody who comes by a provider', () => {
  const server = useServer({
    outgoing: TO_LOOPBACK,
    config: { proofOfWork: 'always', trustedProxyHops: 1 },
  })
  const op = HostileOp.use()
  honestBefore(op)
  beforeAll(() => createProvider(server, { issuer: op.issuer, settings: { emailTrust: 'claim' } }))

  it('AA-01 has the mail to the address that is asked for come at once', async () => {
    op.person = somebody({ email: undefined })
    const [lazy, diligent] = [await atLogin(server), await atLogin(server)]
    await comeBy(lazy, op)
    await lazy.submit('/arrival', { email: 'lazy@example.net' })
    expect(lazy.page.url.pathname).toMatch(/arrival-code$/)
    expect(await takeWaiting(server)).toBe(1)
    await comeBy(diligent, op)
    const proof = work(challengeOf(diligent))
    await diligent.submit('/arrival', { email: 'diligent@example.net', proof })
    await diligent.submit('/arrival-code', {
      code: await server.inbox.code('diligent@example.net'),
    })
    expect(diligent.page.url.pathname).toBe('/account')
  })

  it('is asked of nobody whose address the provider vouches for', async () => {
    op.person = somebody({ email_verified: true, name: undefined })
    const browser = await atLogin(server)
    await comeBy(browser, op)
    expect(browser.page.url.pathname).toMatch(/arrival$/)
    expect(browser.page.text).not.toContain('/assets/work')
  })
})
