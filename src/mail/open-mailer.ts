import type { Config } from '../config/config.ts'
import { keepingMailer } from './mailer.ts'
import { smtpTransport } from './smtp.ts'

/** The mail server of the settings; without one mail stays in the outbox, for the inbox of development. */
export function openMailer({
  mail: { smtpUrl, from },
  brand: { name },
}: Pick<Config, 'mail' | 'brand'>) {
  return smtpUrl ? smtpTransport(smtpUrl, { name, address: from }) : keepingMailer()
}
