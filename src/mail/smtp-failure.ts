import { PermanentFailure, TemporaryFailure, Unreachable } from '../outbox/index.ts'

interface SmtpError {
  readonly code?: unknown
  readonly command?: unknown
  readonly response?: unknown
  readonly responseCode?: unknown
}

/** Errors that speak of one message; all others speak of the server, the way there or our account on it. */
const ABOUT_THE_MESSAGE = new Set(['EENVELOPE', 'EMESSAGE', 'ESTREAM'])

/**
 * RFC 3463 section 3: x.1 address, x.2 mailbox and x.6 content are the recipient's or the mail's;
 * x.3, x.4, x.5 and x.7 (policy) are not.
 */
const ABOUT_THE_RECIPIENT = /^5\.[126]\./

/**
 * Hours in which an operator notices and mends what a mail server holds against us: authentication,
 * relaying, a block list.
 */
const REFUSED_FOR_MS = 6 * 3_600_000

/**
 * Sorts what nodemailer reports by RFC 5321 section 4.2.1: 5yz about recipient or mail is final,
 * 4yz passes, 5yz about us is final only after some hours, the rest is the server's.
 */
export function smtpFailure(error: unknown): Error {
  const { code, command, responseCode } = error as SmtpError
  const reason = describe(error as SmtpError)
  const reply = typeof responseCode === 'number' ? responseCode : 0
  // 421: closing; 503: out of step; 552 is the one answer to MAIL FROM that is about the message (its size).
  const isAboutUs =
    reply === 421 || reply === 503 || (command === 'MAIL FROM' && reply >= 500 && reply !== 552)
  if (typeof code !== 'string' || !ABOUT_THE_MESSAGE.has(code) || isAboutUs)
    return new Unreachable(reason)
  if (reply !== 0 && reply < 500) return new TemporaryFailure(reason)
  return isFinal(error as SmtpError, reply)
    ? new PermanentFailure(reason)
    : new TemporaryFailure(reason, { finalAtMs: REFUSED_FOR_MS })
}

/**
 * By the enhanced code where the server gives one; else a bare 5yz is the recipient's at RCPT TO
 * and the policy's after it.
 */
function isFinal(error: SmtpError, reply: number): boolean {
  const enhanced = enhancedCode(error)
  if (reply === 0 || reply === 552) return true
  return enhanced ? ABOUT_THE_RECIPIENT.test(enhanced) : error.command === 'RCPT TO'
}

function enhancedCode({ response }: SmtpError): string | undefined {
  return typeof response === 'string'
    ? /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1]
    : undefined
}

/** Codes only: the texts of mail servers quote addresses and what they dislike in the mail. */
function describe(error: SmtpError): string {
  const { code, command, responseCode } = error
  const step =
    typeof command === 'string' && /^[A-Z][A-Z0-9 -]{0,24}$/.test(command)
      ? `at ${command}`
      : undefined
  const kind = typeof code === 'string' && /^[A-Z_0-9]{1,40}$/.test(code) ? code : undefined
  return ['smtp', kind, responseCode, enhancedCode(error), step]
    .filter((part) => part !== undefined && part !== '')
    .join(' ')
}
