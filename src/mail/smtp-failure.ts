import { PermanentFailure, TemporaryFailure, Unreachable } from '../outbox.ts'

interface SmtpError {
  readonly code?: unknown
  readonly command?: unknown
  readonly response?: unknown
  readonly responseCode?: unknown
}

/** Errors that speak of one message; all others speak of the server, the way there or our account on it. */
const ABOUT_THE_MESSAGE = new Set(['EENVELOPE', 'EMESSAGE', 'ESTREAM'])

/** Sorts what nodemailer reports by RFC 5321 section 4.2.1: 5yz about the message is final, 4yz passes, the rest is the server's. */
export function smtpFailure(error: unknown): Error {
  const { code, command, responseCode } = error as SmtpError
  const reason = describe(error as SmtpError)
  const reply = typeof responseCode === 'number' ? responseCode : 0
  // 421: closing; 503: out of step; 552 is the one answer to MAIL FROM that is about the message (its size).
  const isAboutUs = reply === 421 || reply === 503 || (command === 'MAIL FROM' && reply >= 500 && reply !== 552)
  if (typeof code !== 'string' || !ABOUT_THE_MESSAGE.has(code) || isAboutUs) return new Unreachable(reason)
  return reply === 0 || reply >= 500 ? new PermanentFailure(reason) : new TemporaryFailure(reason)
}

/** Codes only: the texts of mail servers quote addresses and what they dislike in the mail. */
function describe({ code, command, response, responseCode }: SmtpError): string {
  const enhanced = typeof response === 'string' ? /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1] : undefined
  const step = typeof command === 'string' && /^[A-Z][A-Z0-9 -]{0,24}$/.test(command) ? `at ${command}` : undefined
  const kind = typeof code === 'string' && /^[A-Z_0-9]{1,40}$/.test(code) ? code : undefined
  return ['smtp', kind, responseCode, enhanced, step].filter((part) => part !== undefined && part !== '').join(' ')
}
