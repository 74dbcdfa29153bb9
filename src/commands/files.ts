import { createHash, createPublicKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { StartupError } from '../errors.ts'

const BLOCK = /^-----BEGIN ([A-Z0-9 ]+)-----/gm

export function readJson(option: string, path: string): unknown {
  return parsed(option, path, read(path))
}

/** Public keys: a JWKS, or one key or certificate as PEM. */
export function readKeys(option: string, path: string): unknown {
  const text = read(path)
  const [label, ...more] = [...(text ?? '').matchAll(BLOCK)].map(([, found = '']) => found)
  if (text === undefined || label === undefined) return parsed(option, path, text)
  const refuse = (reason: string) => new StartupError(`${option}: ${path} ${reason}`)
  if ([label, ...more].some((each) => each.endsWith('PRIVATE KEY')))
    throw refuse(
      'holds a private key, which stays with the app; its public half is written by: openssl pkey -pubout',
    )
  // The others of a chain are keys of somebody else, who could then pose as the app.
  if (more.length > 0) throw refuse('holds more than one key or certificate; several make a JWKS')
  try {
    return keySetOf(label, text)
  } catch {
    throw refuse('is not a readable public key or certificate')
  }
}

/** Its `kid` is its thumbprint (RFC 7638), which libraries send if any. */
function keySetOf(label: string, pem: string) {
  const key = label === 'CERTIFICATE' ? new X509Certificate(pem).publicKey : createPublicKey(pem)
  const jwk = key.export({ format: 'jwk' })
  const members = Object.entries(jwk).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const canonical = JSON.stringify(Object.fromEntries(members))
  return { keys: [{ ...jwk, kid: createHash('sha256').update(canonical).digest('base64url') }] }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch {
    return undefined
  }
}

function parsed(option: string, path: string, text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    throw new StartupError(`${option}: ${path} is not a readable JSON file`)
  }
}
