import {
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
  randomInt,
  timingSafeEqual,
} from 'node:crypto'

/** A random string of at least `bits` bits, base64url: 43 characters for 256 bits. */
export function randomToken(bits = 256): string {
  return randomBytes(Math.ceil(bits / 8)).toString('base64url')
}

/** One that a command line or a form takes as it is: it never begins with a dash. */
export function randomSecret(bits = 256): string {
  for (;;) {
    const secret = randomToken(bits)
    if (/^[a-z0-9]/i.test(secret)) return secret
  }
}

/** Six decimal digits, every one of the million equally likely. */
export function sixDigitCode(): string {
  return randomInt(1_000_000).toString().padStart(6, '0')
}

/**
 * 32 bytes. Fit for values that cannot be guessed; what a person could guess is digested with `hmac`.
 * By way of text, because a buffer of Node's own pool costs a third of one that OpenSSL hands over.
 */
export function sha256(value: string | Uint8Array): Buffer {
  return Buffer.from(hash('sha256', value, 'binary'), 'binary')
}

/** HMAC-SHA-256 (RFC 2104), 32 bytes. A key object is made once: for bytes Node makes one each time. */
export function hmac(key: KeyObject, value: string): Buffer {
  return Buffer.from(createHmac('sha256', key).update(value).digest('binary'), 'binary')
}

/** Compares in constant time; the lengths are not secret. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b)
}

/** A 32-byte key for one purpose (HKDF-SHA-256, RFC 5869), so that no secret is used for two things. */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))
}

/** The same, for `hmac`. */
export function deriveMacKey(secret: string, purpose: string): KeyObject {
  return createSecretKey(deriveKey(secret, purpose))
}
