import { createPrivateKey } from 'node:crypto'
import { type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'
import type { TestServer } from './server.ts'

/** A token that the server itself could have signed, of whatever kind. */
export async function signedByServer(
  { context }: Pick<TestServer, 'context'>,
  claims: JWTPayload,
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  const { alg = 'ES256' } = header
  const jwk = (await context.keys.load()).keys.find((key) => key.alg === alg)
  return new SignJWT(claims)
    .setProtectedHeader({ alg, typ: 'at+jwt', kid: jwk?.kid ?? '', ...header })
    .sign(createPrivateKey({ key: jwk as never, format: 'jwk' }))
}
