/** A mail as it came over the wire. */
export interface ReceivedMail {
  /** Envelope addresses. */
  readonly from: string
  readonly to: readonly string[]
  /** Header fields in order, unfolded and undecoded. */
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  readonly subject: string
  readonly messageId: string
  readonly text: string
  readonly html: string
  readonly raw: string
}

/**
 * Reads what a mailer writes: header fields, `text/plain` and `text/html` parts, quoted-printable,
 * base64, encoded words.
 */
export function parseMail(bytes: Buffer): Omit<ReceivedMail, 'from' | 'to'> {
  const raw = bytes.toString('latin1')
  const { headers } = split(raw)
  const header = (name: string) => headers.find((field) => field.name === name)?.value ?? ''
  return {
    headers,
    subject: decodeWords(header('subject')),
    messageId: header('message-id'),
    text: part(raw, 'text/plain') ?? '',
    html: part(raw, 'text/html') ?? '',
    raw,
  }
}

function split(raw: string) {
  const end = raw.indexOf('\r\n\r\n')
  const head = (end < 0 ? raw : raw.slice(0, end)).replace(/\r\n(?=[ \t])/g, '')
  const headers = head.split('\r\n').map((line) => {
    const colon = line.indexOf(':')
    return { name: line.slice(0, colon).toLowerCase(), value: line.slice(colon + 1).trim() }
  })
  return { headers, body: end < 0 ? '' : raw.slice(end + 4) }
}

function part(raw: string, wanted: string): string | undefined {
  const { headers, body } = split(raw)
  const value = (name: string) => headers.find((field) => field.name === name)?.value ?? ''
  const type = value('content-type')
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1]
  if (boundary) {
    for (const piece of body.split(`--${boundary}`).slice(1, -1)) {
      const found = part(piece.replace(/^\r\n/, ''), wanted)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (!type.toLowerCase().startsWith(wanted)) return undefined
  const encoding = value('content-transfer-encoding').toLowerCase()
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8')
  return encoding === 'quoted-printable'
    ? quotedPrintable(body.replace(/=\r\n/g, ''))
    : Buffer.from(body, 'latin1').toString('utf8')
}

function quotedPrintable(text: string): string {
  const bytes = text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** RFC 2047, UTF-8 only. */
function decodeWords(value: string): string {
  const joined = value.replace(/\?=\s+=\?/g, '?==?')
  return joined.replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind: string, text: string) =>
    kind.toLowerCase() === 'b'
      ? Buffer.from(text, 'base64').toString('utf8')
      : quotedPrintable(text.replace(/_/g, ' ')),
  )
}
