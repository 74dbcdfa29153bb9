import { describe, expect, it } from '@jest/globals'
import { StartupError } from '../../src/errors.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { parseSmtpUrl } from '../../src/mail/smtp-url.ts'

describe('SMTP_URL', () => {
  it.each([
    [
      'smtp://mail.example.org',
      { host: 'mail.example.org', port: 587, secure: false, requireTLS: true, auth: undefined },
    ],
    ['smtps://mail.example.org', { port: 465, secure: true, requireTLS: false }],
    [
      'smtp://MAIL.example.org:2525?requireTLS=false',
      { host: 'mail.example.org', port: 2525, requireTLS: false },
    ],
    ['smtp://127.0.0.1:25', { port: 25, requireTLS: false, isLocal: true }],
    ['smtp://[::1]:25', { host: '::1', requireTLS: false, isLocal: true }],
    ['smtp://localhost?requireTLS=true', { requireTLS: true, isLocal: true }],
    ['smtp://u%40x:p%3Aw@mail.example.org', { auth: { user: 'u@x', pass: 'p:w' } }],
  ])('%s', (url, expected) => {
    expect(parseSmtpUrl(url)).toMatchObject(expected)
  })

  it.each([
    'http://mail.example.org',
    'smtp:',
    'smtp://u:p@mail.example.org?debug=true',
    'smtp://u:p@mail.example.org?logger=true',
    'smtp://u:p@mail.example.org?tls.rejectUnauthorized=false',
    'smtp://u:p@mail.example.org?requireTLS=maybe',
    'smtp://u:canary%zz@mail.example.org',
  ])('CF-01 refuses %s at start, without quoting it', (url) => {
    expect(() => parseSmtpUrl(url)).toThrow(StartupError)
    expect(() => parseSmtpUrl(url)).toThrow(/^SMTP_URL: (?!.*(canary|mail\.example))/)
  })
})

describe('MAIL_FROM', () => {
  it.each([
    'Acme <a@example.org>',
    'a@example.org, b@example.org',
    'a@example.org\r\nBcc: b@example.org',
    'nobody',
    'a@localhost',
  ])('refuses %j at start', (address) => {
    expect(() => smtpTransport('smtp://127.0.0.1:25', { name: 'Acme', address })).toThrow(
      StartupError,
    )
  })
})
