import { createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose'
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from '../support/loopback-certificate.ts'
import { operator } from '../support/operator.ts'
import { post } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
const shell = operator()
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString()

/** Registers a service with what a file holds. */
async function create(content: string, ...options: string[]) {
  const file = join(shell.folder, randomUUID())
  await writeFile(file, content)
  const words = ['client', 'create', '--name', 'Keyed', '--type', 'service']
  return shell.run(server, [
    ...words,
    '--auth-method',
    'private_key_jwt',
    '--jwks',
    file,
    ...options,
  ])
}

describe('client create --jwks', () => {
  it.each<[string, string, KeyObject, string]>([
    ['a public key as PEM', spki(rsa.publicKey), rsa.privateKey, 'RS256'],
    [
      'PEM with words before it, as openssl writes them',
      `Public-Key: (2048 bit)\n${spki(rsa.publicKey)}`,
      rsa.privateKey,
      'PS256',
    ],
  ])('JW-06 takes %s, with its thumbprint or no kid in the assertion', async (...row) => {
    const [, content, key, alg] = row
    const { code, stdout, stderr } = await create(content, '--assertion-audience', 'token-endpoint')
    expect([code, stderr]).toEqual([0, ''])
    const id = String(parseEnv(stdout)['OIDC_CLIENT_ID'])
    const kid = await calculateJwkThumbprint(await exportJWK(rsa.publicKey))
    for (const header of [{ alg }, { alg, kid }]) {
      const assertion = await new SignJWT({ jti: randomUUID() })
        .setProtectedHeader(header)
        .setIssuer(id)
        .setSubject(id)
        .setAudience(`${server.origin}/token`)
        .setExpirationTime('1m')
        .sign(key)
      const { status } = await post(server, '/token', {
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      })
      expect([header, status]).toEqual([header, 200])
    }
  })

  it('JW-06 takes a certificate, and shows the key that was in it', async () => {
    const { code, stdout } = await create(LOOPBACK_CERTIFICATE, '--assertion-seconds', '3600')
    expect(code).toBe(0)
    const id = String(parseEnv(stdout)['OIDC_CLIENT_ID'])
    const shown = await shell.run(server, ['client', 'show', id, '--json'])
    const { kty } = await exportJWK(createPublicKey(LOOPBACK_KEY))
    expect(JSON.parse(shown.stdout)).toMatchObject({
      assertion_seconds: 3600,
      jwks: { keys: [{ kty, kid: expect.any(String) }] },
    })
  })

  it.each<[string, string, RegExp]>([
    ['a private key', privateOf(rsa.privateKey), /holds a private key, which stays with the app/],
    ['a private key behind its public half', spki(rsa.publicKey) + LOOPBACK_KEY, /a private key/],
    ['a chain', LOOPBACK_CERTIFICATE.repeat(2), /more than one key or certificate/],
    ['P-384', spki(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey), /none of RSA/],
    ['RSA of 1024 bits', spki(weak().publicKey), /fewer than 2048/],
    [
      'half a key',
      '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n',
      /not a readable public key/,
    ],
    ['a private key as JSON', JSON.stringify(jwksOf(rsa.privateKey)), /key 1 is not public/],
    ['neither', 'hello', /not a readable JSON/],
  ])('JW-06 refuses %s in one line, which repeats nothing of it', async (_what, text, reason) => {
    const { code, stdout, stderr } = await create(text)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(reason)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    for (const line of text.split('\n').filter(({ length }) => length > 40))
      expect(stderr).not.toContain(line)
  })
})

function privateOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function weak() {
  return generateKeyPairSync('rsa', { modulusLength: 1024 })
}

function jwksOf(key: KeyObject) {
  return { keys: [key.export({ format: 'jwk' })] }
}
