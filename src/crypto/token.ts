import {
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  randomBytes,
  randomFillSync,
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

const drawn = Buffer.alloc(4096)
let used = drawn.length

/**
 * Random bytes in hex, for what is no secret: taken out of one larger draw, since a draw costs the
 * same whatever its size.
 */
export function randomSalt(bytes: number): string {
  if (used + bytes > drawn.length) {
    randomFillSync(drawn)
    used = 0
  }
  used += bytes
  return drawn.toString('hex', used - bytes, used)
}

/** Six decimal digits, every one of the million equally likely. */
export function sixDigitCode(): string {
  return randomInt(1_000_000).toString().padStart(6, '0')
}

/** 32 bytes. Fit for values that cannot be guessed; what a person could guess is digested with `hmac`. */
export function sha256(value: string | Uint8Array): Buffer {
  return hash('sha256', value, 'buffer')
}

/** The digest of some bytes, given in hex, and a text after them; hex. */
export function sha256Hex(bytes: string, text: string): string {
  const start = bytes.length / 2
  const all = Buffer.allocUnsafe(start + Buffer.byteLength(text))
  all.write(bytes, 0, 'hex')
  all.write(text, start)
  return hash('sha256', all, 'hex')
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
