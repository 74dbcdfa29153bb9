import {
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
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

/** 32 bytes. Fit for values that cannot be guessed; what a person could guess is digested with `hmac`. */
export function sha256(value: string | Uint8Array): Buffer {
  return hash('sha256', value, 'buffer')
}

/**
 * HMAC-SHA-256 (RFC 2104), 32 bytes. Node takes ten microseconds longer for a key of bytes than for
 * a key object.
 */
export function hmac(key: Uint8Array, value: string): Buffer {
  return createHmac('sha256', createSecretKey(key)).update(value).digest()
}

/** Compares in constant time; the lengths are not secret. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b)
}

/** A 32-byte key for one purpose (HKDF-SHA-256, RFC 5869), so that no secret is used for two things. */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))
}
