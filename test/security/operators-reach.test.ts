import { describe, expect, it } from '@jest/globals'
import { readEnv } from '../../src/config/env.ts'
import { createGuardedFetch, proveGuard, RequestRefused } from '../../src/outgoing/guarded-fetch.ts'
import { operatorsReach } from '../../src/outgoing/operators-reach.ts'

const OWN = {
  issuer: 'https://id.example.org',
  port: 3000,
  storePorts: new Set([5433, 7000, 17_000]),
}
const at = (url: string) => new URL(url)
const HTTPS = at('https://app.example/logout')
const HTTP = at('http://app.example/logout')

describe('what may be reached of the networks that an operator lists', () => {
  const networks = ['10.1.0.0/16', '192.168.1.0/24', '100.64.0.0/10', 'fd12:3456::/32', 'fd00::/8']
  const { isAllowed, isInside } = operatorsReach({ networks, loopback: false, own: OWN })

  it.each(['10.1.2.3', '192.168.1.255', '100.64.0.9', 'fd12:3456::1', 'fd7a:115c::1'])(
    'CL-04 %s by https and http',
    (address) => {
      expect([isAllowed(address, HTTPS), isAllowed(address, HTTP)]).toEqual([true, true])
    },
  )

  it.each(['1.1.1.1', '2606:4700:4700::1111'])('CL-04 %s by https only', (address) => {
    expect([isAllowed(address, HTTPS), isAllowed(address, HTTP)]).toEqual([true, false])
  })

  it.each([
    '10.2.0.1',
    '192.168.2.1',
    '172.16.0.1',
    '127.0.0.1',
    '127.1.2.3',
    '0.0.0.0',
    '::1',
    '::',
    '169.254.169.254',
    'fe80::1',
    'fe80::1%eth0',
    'fd12:3456::1%eth0',
    '100.100.100.200',
    'fd00:ec2::254',
    'fd20:ce::254',
    '::ffff:10.1.2.3',
    '::ffff:a01:203',
    '64:ff9b::a01:203',
    '2002:a01:203::',
    '::10.1.2.3',
    '010.1.2.3',
    '10.1.2',
    'app.example',
    '',
  ])('CL-04 never %s', (address) => {
    expect([isAllowed(address, HTTPS), isAllowed(address, HTTP), isInside(address)]).toEqual([
      false,
      false,
      false,
    ])
  })

  it('CL-04 neither the stores, wherever they are, nor this server itself', () => {
    for (const port of [5433, 7000, 17_000])
      expect(isAllowed('10.1.2.3', at(`https://app.example:${port}/`))).toBe(false)
    expect(isAllowed('10.1.2.3', at('https://id.example.org/session/end'))).toBe(false)
    expect(isAllowed('10.1.2.3', at('https://app.example:3000/'))).toBe(true)
    const tests = operatorsReach({ networks, loopback: true, own: OWN })
    expect(tests.isAllowed('127.0.0.1', at('http://localhost:3000/'))).toBe(false)
    expect(tests.isAllowed('127.0.0.1', at('http://localhost:5433/'))).toBe(false)
    expect(tests.isAllowed('127.0.0.1', at('http://localhost:3001/'))).toBe(true)
    expect(tests.isAllowed('169.254.169.254', HTTPS)).toBe(false)
  })

  it('CL-04 a name of which one address is elsewhere is refused before anything is sent', async () => {
    for (const addresses of [
      ['10.1.2.3', '10.2.0.1'],
      ['10.1.2.3', '127.0.0.1'],
      ['1.1.1.1', '::1'],
      [],
    ]) {
      const guarded = createGuardedFetch({
        isAllowed,
        allowsPlain: true,
        resolve: async () => addresses,
      })
      await expect(guarded('http://app.example/')).rejects.toBeInstanceOf(RequestRefused)
      await expect(guarded('https://app.example/')).rejects.toBeInstanceOf(RequestRefused)
    }
  })

  it('CL-04 a name with a private address is refused where no network is listed', async () => {
    const none = operatorsReach({ networks: [], loopback: false, own: OWN })
    const resolve = async () => ['192.168.1.5']
    const guarded = createGuardedFetch({ isAllowed: none.isAllowed, allowsPlain: true, resolve })
    for (const scheme of ['http', 'https'])
      await expect(guarded(`${scheme}://nas.example/`)).rejects.toBeInstanceOf(RequestRefused)
  })

  it('CL-04 http is spoken only where it is asked for, and never with credentials or to a foreign port', async () => {
    const resolve = async () => ['10.1.2.3']
    const secured = createGuardedFetch({ isAllowed, resolve })
    const plain = createGuardedFetch({ isAllowed, allowsPlain: true, resolve })
    await expect(secured('http://app.example/')).rejects.toBeInstanceOf(RequestRefused)
    for (const url of [
      'http://a@app.example/',
      'ftp://app.example/',
      'http://app.example:6379/',
      'http://app.example:25/',
    ])
      await expect(plain(url)).rejects.toBeInstanceOf(RequestRefused)
  })

  it('CL-04 the start proves that the guard is on here, too', async () => {
    await expect(
      proveGuard(createGuardedFetch({ isAllowed, allowsPlain: true })),
    ).resolves.toBeUndefined()
    const open = operatorsReach({ networks, loopback: true, own: OWN })
    await expect(proveGuard(createGuardedFetch({ isAllowed: open.isAllowed }))).rejects.toThrow(
      /not guarded/,
    )
  })
})

describe('the settings', () => {
  it('CL-04 take private networks, and nothing that is wider or elsewhere', () => {
    const of = (text: string) =>
      readEnv({ OUTGOING_PRIVATE_NETWORKS: text }).OUTGOING_PRIVATE_NETWORKS
    expect(of('10.0.0.0/8, 192.168.1.7/32,fd00::/8')).toEqual([
      '10.0.0.0/8',
      '192.168.1.7/32',
      'fd00::/8',
    ])
    expect(readEnv({}).OUTGOING_PRIVATE_NETWORKS).toBeUndefined()
    for (const text of [
      '0.0.0.0/0',
      '10.0.0.0/7',
      '127.0.0.0/8',
      '169.254.0.0/16',
      '::/0',
      '::1/128',
      'fe80::/10',
      '::ffff:10.0.0.0/104',
      '8.8.8.0/24',
      '10.0.0.0',
      '10.0.0.0/33',
      '10.0.0.0/8/8',
      '10.1/16',
      '10.0.0.0/-1',
      'fc00::/6',
      'nas.lan/24',
      '10.0.0.0/8,1.1.1.1/32',
    ])
      expect(() => of(text)).toThrow(/OUTGOING_PRIVATE_NETWORKS: must (be networks|lie inside)/)
  })

  it('CL-04 production refuses loopback', () => {
    const production = { NODE_ENV: 'production', OUTGOING_LOOPBACK_FOR_TESTS: 'true' }
    const elsewhere = { ISSUER: 'https://id.example.org', OUTGOING_LOOPBACK_FOR_TESTS: '1' }
    for (const settings of [production, elsewhere])
      expect(() => readEnv(settings)).toThrow(/OUTGOING_LOOPBACK_FOR_TESTS: refused in production/)
    expect(readEnv({ OUTGOING_LOOPBACK_FOR_TESTS: '1' }).OUTGOING_LOOPBACK_FOR_TESTS).toBe(true)
  })
})
